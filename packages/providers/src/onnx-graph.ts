import type { onnx } from "onnx-proto";

/** Source: onnx.proto3, enum TensorProto.DataType. */
const ONNX_TYPE = { float: 1, uint8: 2, int8: 3, int64: 7, float16: 10 } as const;
export type OnnxType = keyof typeof ONNX_TYPE;

/** Source: onnx.proto3, enum AttributeProto.AttributeType. */
const ATTRIBUTE_TYPE = { float: 1, int: 2, ints: 7 } as const;

// Opset 17 is the first with LayerNormalization; IR version 8 goes with it. Source: onnx Versioning.md.
const OPSET = 17;
const IR_VERSION = 8;
/** ONNX Runtime's own operators. */
const CONTRIB = "com.microsoft";

type Values = Float32Array | Uint16Array | Uint8Array | Int8Array | BigInt64Array;
export type Attributes = Readonly<Record<string, { int: number } | { ints: readonly number[] } | { float: number }>>;
export type GraphPort = {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly (string | number)[];
};

/** Collects the nodes and constants of one ONNX graph. Values are known by name; each call returns the name of what it makes. */
export class OnnxGraph {
  readonly #nodes: object[] = []; // in the JSON form of NodeProto
  readonly #constants: object[] = []; // in the JSON form of TensorProto
  readonly #scalars = new Map<string, string>();
  #names = 0;

  constant(type: OnnxType, dims: readonly number[], values: Values): string {
    const name = this.#name("constant");
    const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    this.#constants.push({ name, dims: [...dims], dataType: ONNX_TYPE[type], rawData });
    return name;
  }

  /** A float32 scalar; equal values share one constant. */
  scalar(value: number): string {
    return this.#once(`float ${value}`, () => this.constant("float", [], Float32Array.of(value)));
  }

  /** A list of int64, as shapes and axes want it; equal lists share one constant. */
  ints(...values: number[]): string {
    return this.#once(`ints ${values.join()}`, () =>
      this.constant("int64", [values.length], BigInt64Array.from(values, BigInt)),
    );
  }

  node(opType: string, input: readonly string[], attributes: Attributes = {}): string {
    return this.nodes(opType, input, 1, attributes)[0]!;
  }

  contribNode(opType: string, input: readonly string[]): string {
    return this.nodes(opType, input, 1, {}, CONTRIB)[0]!;
  }

  nodes(opType: string, input: readonly string[], outputs: number, attributes: Attributes = {}, domain = ""): string[] {
    const output = Array.from({ length: outputs }, () => this.#name(opType));
    this.#nodes.push({
      opType,
      domain,
      name: this.#name("node"),
      input: [...input],
      output,
      attribute: Object.entries(attributes).map(([name, value]) => attributeProto(name, value)),
    });
    return output;
  }

  /** Gives a value the name of an output. */
  output(value: string, name: string): void {
    this.#nodes.push({ opType: "Identity", name: this.#name("node"), input: [value], output: [name] });
  }

  /** The whole graph as the bytes of an .onnx file; equal graphs give equal bytes. */
  encode(proto: typeof onnx, ports: { inputs: readonly GraphPort[]; outputs: readonly GraphPort[] }): Uint8Array {
    const model = proto.ModelProto.fromObject({
      irVersion: IR_VERSION,
      producerName: "emb",
      opsetImport: [
        { domain: "", version: OPSET },
        { domain: CONTRIB, version: 1 },
      ],
      graph: {
        name: "emb",
        node: this.#nodes,
        initializer: this.#constants,
        input: ports.inputs.map(valueInfo),
        output: ports.outputs.map(valueInfo),
      },
    });
    return proto.ModelProto.encode(model).finish();
  }

  #name(kind: string): string {
    return `${kind}_${this.#names++}`;
  }

  #once(key: string, make: () => string): string {
    const known = this.#scalars.get(key);
    if (known !== undefined) return known;
    const name = make();
    this.#scalars.set(key, name);
    return name;
  }
}

function attributeProto(name: string, value: Attributes[string]): object {
  if ("int" in value) return { name, type: ATTRIBUTE_TYPE.int, i: value.int };
  if ("ints" in value) return { name, type: ATTRIBUTE_TYPE.ints, ints: [...value.ints] };
  return { name, type: ATTRIBUTE_TYPE.float, f: value.float };
}

const valueInfo = ({ name, type, shape }: GraphPort) => ({
  name,
  type: {
    tensorType: {
      elemType: ONNX_TYPE[type],
      shape: { dim: shape.map((dim) => (typeof dim === "string" ? { dimParam: dim } : { dimValue: dim })) },
    },
  },
});
