import type { onnx } from "onnx-proto";
import { EmbError } from "@emb/manifest";
import { OnnxGraph } from "./onnx-graph.js";
import { toFloat32, type HalfTensor } from "./safetensors.js";

export type Precision = "int8" | "fp32";

/** The shape of a BERT encoder, from its config.json. */
export interface BertShape {
  readonly layers: number;
  readonly heads: number;
  readonly hiddenSize: number;
  readonly layerNormEpsilon: number;
}

/** Changes whenever the written graph does, so that a file of an older graph is not taken for it. */
export const BERT_GRAPH_VERSION = "g1";

/**
 * Writes a BERT encoder with mean pooling and L2 normalisation as an ONNX file.
 * Inputs `input_ids`, `attention_mask`, `token_type_ids`: int64 [batch, sequence]; output `sentence_embedding`: float32
 * [batch, hidden]. Weights are float16 in the source, so `fp32` computes with exactly their values.
 *
 * `int8` quantises every linear layer: activations per token, weights per output column. A scale that spans the batch
 * (DynamicQuantizeLinear) is faster, but a text's vector then depends on its batch-mates: cosine 0.985 to 0.993.
 */
export function writeBertGraph(
  proto: typeof onnx,
  weights: ReadonlyMap<string, HalfTensor>,
  shape: BertShape,
  precision: Precision,
): Uint8Array {
  const graph = new OnnxGraph();
  const linear = precision === "int8" ? int8Linear(graph) : fp32Linear(graph);
  const { hiddenSize, heads } = shape;
  const headSize = hiddenSize / heads;

  const tensor = (name: string): HalfTensor => {
    const found = weights.get(name);
    if (found) return found;
    throw new EmbError("EMB_MODEL_UNAVAILABLE", `The weights have no float16 tensor ${name}.`, {
      hint: "Install the package that holds the weights again.",
    });
  };
  const layer = (...names: string[]): LinearWeights => ({
    weight: concat(names.map((name) => toFloat32(tensor(`${name}.weight`).bits))),
    bias: concat(names.map((name) => toFloat32(tensor(`${name}.bias`).bits))),
    columns: names.reduce((sum, name) => sum + tensor(`${name}.weight`).shape[0]!, 0),
    rows: tensor(`${names[0]!}.weight`).shape[1]!,
  });
  const vector = (name: string) => graph.constant("float", [hiddenSize], toFloat32(tensor(name).bits));
  const layerNorm = (x: string, name: string) =>
    graph.node("LayerNormalization", [x, vector(`${name}.weight`), vector(`${name}.bias`)], {
      axis: { int: -1 },
      epsilon: { float: shape.layerNormEpsilon },
    });
  // Tables stay float16 and only the rows in use are widened: half the file, the same values.
  const lookUp = (name: string, ids: string) => {
    const { shape: dims, bits } = tensor(`embeddings.${name}.weight`);
    return graph.node("Cast", [graph.node("Gather", [graph.constant("float16", dims, bits), ids])], FLOAT);
  };
  const add = (a: string, b: string) => graph.node("Add", [a, b]);

  const batchAndSequence = graph.node("Shape", ["input_ids"]);
  const sequence = graph.node("Gather", [batchAndSequence, graph.constant("int64", [], BigInt64Array.of(1n))]);
  const positions = graph.node("Range", [
    graph.constant("int64", [], BigInt64Array.of(0n)),
    sequence,
    graph.constant("int64", [], BigInt64Array.of(1n)),
  ]);
  const mask = graph.node("Cast", ["attention_mask"], FLOAT);
  const maskForScores = graph.node("Unsqueeze", [mask, graph.ints(1, 2)]);
  // exp(-10,000) is 0 in float32, so padding has no weight at all.
  const paddingPenalty = graph.node("Mul", [
    graph.node("Sub", [graph.scalar(1), maskForScores]),
    graph.scalar(-10_000),
  ]);
  const byHead = graph.node("Concat", [batchAndSequence, graph.ints(heads, headSize)], { axis: { int: 0 } });
  const byText = graph.node("Concat", [batchAndSequence, graph.ints(hiddenSize)], { axis: { int: 0 } });

  const attention = (x: string, name: string): string => {
    const qkv = linear(x, layer(`${name}.self.query`, `${name}.self.key`, `${name}.self.value`));
    const parts = graph.nodes("Split", [qkv, graph.ints(hiddenSize, hiddenSize, hiddenSize)], 3, { axis: { int: 1 } });
    const [query, key, value] = parts.map((part, i) =>
      graph.node("Transpose", [graph.node("Reshape", [part, byHead])], { perm: { ints: i === 1 ? KEY : HEADS_FIRST } }),
    );
    const products = graph.node("Mul", [graph.node("MatMul", [query!, key!]), graph.scalar(1 / Math.sqrt(headSize))]);
    const shares = graph.node("Softmax", [add(products, paddingPenalty)], { axis: { int: -1 } });
    const mixed = graph.node("Transpose", [graph.node("MatMul", [shares, value!])], { perm: { ints: HEADS_FIRST } });
    return linear(graph.node("Reshape", [mixed, graph.ints(-1, hiddenSize)]), layer(`${name}.output.dense`));
  };
  const gelu = (x: string): string => {
    const erf = graph.node("Erf", [graph.node("Div", [x, graph.scalar(Math.SQRT2)])]);
    return graph.node("Mul", [graph.node("Mul", [x, add(erf, graph.scalar(1))]), graph.scalar(0.5)]);
  };

  const summed = add(lookUp("word_embeddings", "input_ids"), lookUp("token_type_embeddings", "token_type_ids"));
  const embedded = layerNorm(add(summed, lookUp("position_embeddings", positions)), "embeddings.LayerNorm");
  // One row for each token of the batch: linear layers, and the scales of int8, see no batch.
  let x = graph.node("Reshape", [embedded, graph.ints(-1, hiddenSize)]);
  for (let i = 0; i < shape.layers; i++) {
    const name = `encoder.layer.${i}`;
    x = layerNorm(add(attention(x, `${name}.attention`), x), `${name}.attention.output.LayerNorm`);
    const inner = gelu(linear(x, layer(`${name}.intermediate.dense`)));
    x = layerNorm(add(linear(inner, layer(`${name}.output.dense`)), x), `${name}.output.LayerNorm`);
  }

  const hidden = graph.node("Reshape", [x, byText]);
  const masked = graph.node("Mul", [hidden, graph.node("Unsqueeze", [mask, graph.ints(2)])]);
  const total = graph.node("ReduceSum", [masked, graph.ints(1)], { keepdims: { int: 0 } });
  const count = graph.node("ReduceSum", [mask, graph.ints(1)], { keepdims: { int: 1 } });
  const mean = graph.node("Div", [total, count]);
  const norm = graph.node("ReduceL2", [mean], { axes: { ints: [1] }, keepdims: { int: 1 } });
  graph.output(graph.node("Div", [mean, norm]), "sentence_embedding");

  return graph.encode(proto, {
    inputs: ["input_ids", "attention_mask", "token_type_ids"].map((name) => ({
      name,
      type: "int64" as const,
      shape: ["batch", "sequence"],
    })),
    outputs: [{ name: "sentence_embedding", type: "float", shape: ["batch", hiddenSize] }],
  });
}

const FLOAT = { to: { int: 1 } };
const HEADS_FIRST = [0, 2, 1, 3]; // [batch, sequence, head, size] <-> [batch, head, sequence, size]
const KEY = [0, 2, 3, 1];

/** A linear layer as PyTorch stores it: `columns` output values, each a row of `rows` weights. */
interface LinearWeights {
  readonly weight: Float32Array<ArrayBuffer>;
  readonly bias: Float32Array<ArrayBuffer>;
  readonly columns: number;
  readonly rows: number;
}
type Linear = (x: string, weights: LinearWeights) => string;

const fp32Linear =
  (graph: OnnxGraph): Linear =>
  (x, { weight, bias, columns, rows }) => {
    const transposed = new Float32Array(weight.length);
    for (let c = 0; c < columns; c++)
      for (let r = 0; r < rows; r++) transposed[r * columns + c] = weight[c * rows + r]!;
    const product = graph.node("MatMul", [x, graph.constant("float", [rows, columns], transposed)]);
    return graph.node("Add", [product, graph.constant("float", [columns], bias)]);
  };

const ZERO_POINT = 128; // uint8 128 stands for 0.0: symmetric, as a scale for each row allows no other
const ACTIVATION_MAX = 127;
/**
 * Weights use 7 of 8 bits: CPUs without VNNI add two uint8 x int8 products in 16 bits, and 2 x 255 x 63 still fits where
 * 2 x 255 x 127 saturates. So every CPU computes the same vectors. Measured: as fast, cosine to fp32 0.9963 either way.
 */
const WEIGHT_MAX = 63;
const MIN_SCALE = 1e-10; // a row of zeros must not divide by zero

function int8Linear(graph: OnnxGraph): Linear {
  const zeroPoint = graph.constant("uint8", [], Uint8Array.of(ZERO_POINT));
  const zeroPointList = graph.constant("uint8", [1], Uint8Array.of(ZERO_POINT));
  let zeroPoints: string | undefined;
  return (x, { weight, bias, columns, rows }) => {
    const largest = graph.node("ReduceMax", [graph.node("Abs", [x])], { axes: { ints: [1] }, keepdims: { int: 0 } });
    const scale = graph.node("Mul", [largest, graph.scalar(1 / ACTIVATION_MAX)]);
    const rowScale = graph.node("Max", [scale, graph.scalar(MIN_SCALE)]);
    zeroPoints ??= graph.node("Expand", [zeroPointList, graph.node("Shape", [rowScale])]);
    const quantised = graph.node("QuantizeLinear", [x, rowScale, zeroPoints], { axis: { int: 0 } });

    const { values, scales } = quantiseColumns(weight, columns, rows);
    // The operator multiplies by the weight scales; row scales follow in a Mul of their own: with both in one Mul an
    // optimiser of ONNX Runtime 1.30 changes the result (cosine 0.46 to 0.65).
    const product = graph.contribNode("MatMulIntegerToFloat", [
      quantised,
      graph.constant("int8", [rows, columns], values),
      graph.scalar(1),
      graph.constant("float", [columns], scales),
      zeroPoint,
    ]);
    const scaled = graph.node("Mul", [product, graph.node("Unsqueeze", [rowScale, graph.ints(1)])]);
    return graph.node("Add", [scaled, graph.constant("float", [columns], bias)]);
  };
}

/** Symmetric int8 of a PyTorch weight, transposed, with one scale for each output column. */
function quantiseColumns(weight: Float32Array, columns: number, rows: number) {
  const values = new Int8Array(weight.length);
  const scales = new Float32Array(columns);
  for (let c = 0; c < columns; c++) {
    let largest = 0;
    for (let r = 0; r < rows; r++) largest = Math.max(largest, Math.abs(weight[c * rows + r]!));
    const scale = Math.max(largest / WEIGHT_MAX, MIN_SCALE);
    scales[c] = scale;
    for (let r = 0; r < rows; r++) values[r * columns + c] = Math.round(weight[c * rows + r]! / scale);
  }
  return { values, scales };
}

function concat(parts: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
