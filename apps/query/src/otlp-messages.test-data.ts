import { z } from "zod";
import type { Received } from "./collector.fixture.js";

// Field numbers and JSON names. Source: opentelemetry-proto 1.x, common.proto, resource.proto, metrics.proto and trace.proto, read November 2026.

interface Signal {
  readonly name: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}
export interface Sent {
  readonly resource: Readonly<Record<string, unknown>>;
  /** Metrics: one for each data point. */
  readonly signals: readonly Signal[];
}

/** Reads a request of either protocol; throws when it is not of the published shape. */
export const readRequest = ({ path, contentType, body }: Received): Sent => {
  if (contentType === "application/json") return readJson(path, JSON.parse(body.toString("utf8")));
  if (contentType === "application/x-protobuf") return readProtobuf(path, body);
  throw new Error(`unexpected content type ${contentType}`);
};

const AnyValue = z.union([
  z.strictObject({ stringValue: z.string() }).transform(({ stringValue }) => stringValue),
  z.strictObject({ boolValue: z.boolean() }).transform(({ boolValue }) => boolValue),
  z
    .strictObject({ intValue: z.union([z.int(), z.string().regex(/^-?\d+$/)]) })
    .transform(({ intValue }) => Number(intValue)),
  z.strictObject({ doubleValue: z.number() }).transform(({ doubleValue }) => doubleValue),
]);
const Attributes = z
  .array(z.object({ key: z.string().min(1), value: AnyValue }))
  .transform((list) => Object.fromEntries(list.map(({ key, value }) => [key, value])));
const Nanoseconds = z.string().regex(/^\d{19}$/);
const Points = z.object({
  dataPoints: z.array(z.object({ attributes: Attributes, startTimeUnixNano: Nanoseconds, timeUnixNano: Nanoseconds })),
});
const Metric = z
  .object({ name: z.string().min(1), sum: Points.optional(), gauge: Points.optional(), histogram: Points.optional() })
  .transform(({ name, sum, gauge, histogram }) =>
    [sum, gauge, histogram]
      .flatMap((points) => points?.dataPoints ?? [])
      .map(({ attributes }) => ({ name, attributes })),
  );
const Span = z.object({
  name: z.string().min(1),
  traceId: z.string().regex(/^[0-9a-f]{32}$/),
  spanId: z.string().regex(/^[0-9a-f]{16}$/),
  startTimeUnixNano: Nanoseconds,
  endTimeUnixNano: Nanoseconds,
  attributes: Attributes,
});
const Resource = z.object({ attributes: Attributes });
const MetricsRequest = z.strictObject({
  resourceMetrics: z.array(
    z.object({ resource: Resource, scopeMetrics: z.array(z.object({ metrics: z.array(Metric) })) }),
  ),
});
const TraceRequest = z.strictObject({
  resourceSpans: z.array(z.object({ resource: Resource, scopeSpans: z.array(z.object({ spans: z.array(Span) })) })),
});

function readJson(path: string, value: unknown): Sent {
  if (path === "/v1/metrics") {
    const [first] = MetricsRequest.parse(value).resourceMetrics;
    return {
      resource: first!.resource.attributes,
      signals: first!.scopeMetrics.flatMap(({ metrics }) => metrics.flat()),
    };
  }
  const [first] = TraceRequest.parse(value).resourceSpans;
  const signals = first!.scopeSpans.flatMap(({ spans }) => spans.map(({ name, attributes }) => ({ name, attributes })));
  return { resource: first!.resource.attributes, signals };
}

function readProtobuf(path: string, body: Buffer): Sent {
  const [first] = messages(body, 1);
  const resource = attributesOf(messages(first!, 1)[0]!, 1);
  const items = messages(first!, 2).flatMap((scope) => messages(scope, 2));
  const nameOf = (item: Buffer, field: number) => messages(item, field)[0]!.toString("utf8");
  if (path !== "/v1/metrics")
    return { resource, signals: items.map((span) => ({ name: nameOf(span, 5), attributes: attributesOf(span, 9) })) };
  const signals = items.flatMap((metric) => {
    const numbers = [...messages(metric, 5), ...messages(metric, 7)].flatMap((data) => messages(data, 1));
    const histograms = messages(metric, 9).flatMap((data) => messages(data, 1));
    return [
      ...numbers.map((point) => attributesOf(point, 7)),
      ...histograms.map((point) => attributesOf(point, 9)),
    ].map((attributes) => ({ name: nameOf(metric, 1), attributes }));
  });
  return { resource, signals };
}

/** The length-delimited values of one field, in order. */
const messages = (message: Buffer, field: number): Buffer[] =>
  fields(message).flatMap(({ number, value }) => (number === field && Buffer.isBuffer(value) ? [value] : []));

const attributesOf = (message: Buffer, field: number): Record<string, unknown> =>
  Object.fromEntries(
    messages(message, field).map((pair) => [messages(pair, 1)[0]!.toString("utf8"), anyValue(messages(pair, 2)[0]!)]),
  );

function anyValue(message: Buffer): unknown {
  const [only] = fields(message);
  if (only === undefined) throw new Error("an attribute without a value");
  const { number, value } = only;
  if (number === 1 && Buffer.isBuffer(value)) return value.toString("utf8");
  if (number === 2) return value === 1n;
  if (number === 3) return Number(value);
  throw new Error(`an attribute of kind ${number}`);
}

/** The protobuf wire format: varints, fixed 64 and 32 bits, length-delimited. */
function fields(message: Buffer): { number: number; value: bigint | Buffer }[] {
  const seen: { number: number; value: bigint | Buffer }[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message.readUInt8(at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const bytes = (length: number): Buffer => message.subarray(at, (at += length));
  while (at < message.length) {
    const tag = Number(varint());
    const [number, wire] = [tag >> 3, tag & 7];
    if (wire === 0) seen.push({ number, value: varint() });
    else if (wire === 1) seen.push({ number, value: bytes(8) });
    else if (wire === 2) seen.push({ number, value: bytes(Number(varint())) });
    else if (wire === 5) seen.push({ number, value: bytes(4) });
    else throw new Error(`no such wire type: ${wire}`);
  }
  return seen;
}
