import { formatByteSize, formatDuration } from '@entrepot/oci';
import { z } from 'zod';

/**
 * One section of the configuration: `{ name: 'http', schema: z.object({ port: … }) }`. A room that may not import this
 * one exports the same shape with plain zod; these conventions are all that the loader and the generator read:
 *
 * - Keys are camelCase: `publicUrl` of `http` is `ENTREPOT_HTTP_PUBLIC_URL`, and `http: { publicUrl: … }` in the file.
 * - Each key's schema takes one *string* and parses it (numbers and booleans of the file arrive as text, lists joined
 *   by commas); what may be missing says so by `.prefault('15s')`, `.default(…)` or `.optional()`.
 * - `.meta({ description, secret, unit, example })` on the key, at any wrapper. `secret: true` keeps the value out of every
 *   printed configuration and refuses a blank one; `unit: 'ms' | 'bytes'` prints numbers as people write them.
 * - A rule over several keys is a `.refine` on the object whose `path` names the key; messages never hold values.
 */
export interface ConfigSection<Name extends string = string, Schema extends z.ZodObject = z.ZodObject> {
  readonly name: Name;
  readonly schema: Schema;
}

/** What a set of sections parses to: `{ http: { port: 5000, … }, … }`, deep-frozen. */
export type ConfigOf<Sections extends readonly ConfigSection[]> = {
  readonly [S in Sections[number] as S['name']]: Readonly<z.output<S['schema']>>;
};

/** What one section parses to. */
export type SectionValues<S extends ConfigSection> = Readonly<z.output<S['schema']>>;

/** One key of a section, as the loader, the mask and the documentation see it. */
export interface ConfigKey {
  readonly section: string;
  readonly key: string;
  /** Name of the environment variable. */
  readonly variable: string;
  readonly description: string;
  readonly secret: boolean;
  readonly unit: 'ms' | 'bytes' | undefined;
  /** The default as it would be written, or undefined where there is none. */
  readonly fallback: string | undefined;
  /** Parses without a value, be it by a default or as absent. */
  readonly optional: boolean;
}

const metaSchema = z.object({
  description: z.string().optional(),
  secret: z.boolean().optional(),
  unit: z.enum(['ms', 'bytes']).optional(),
});

/** A section descriptor; keeps the schema's types. */
export function section<Name extends string, Schema extends z.ZodObject>(
  name: Name,
  schema: Schema,
): ConfigSection<Name, Schema> {
  return { name, schema };
}

/** `('http', 'publicUrl')` → `ENTREPOT_HTTP_PUBLIC_URL`. */
export function variableName(sectionName: string, key: string): string {
  return `ENTREPOT_${upperSnake(sectionName)}_${upperSnake(key)}`;
}

/** Every key of the sections, in their order. */
export function configKeys(sections: readonly ConfigSection[]): ConfigKey[] {
  return sections.flatMap((each) =>
    Object.entries(each.schema.shape).map(([key, schema]) => describeKey(each.name, key, schema)),
  );
}

/** A number as people write it: 60000 ms → `1m`, 4194304 bytes → `4MiB`. */
export function formatQuantity(value: number, unit: 'ms' | 'bytes'): string {
  return unit === 'ms' ? formatDuration(value) : formatByteSize(value);
}

function upperSnake(camelCase: string): string {
  return camelCase.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

function describeKey(sectionName: string, key: string, schema: z.core.$ZodType): ConfigKey {
  const layers = unwrap(schema);
  const meta = Object.assign({}, ...layers.toReversed().map(readMeta)) as z.output<typeof metaSchema>;
  const fallback = layers.map(defaultOf).find((value) => value !== undefined);
  return {
    section: sectionName,
    key,
    variable: variableName(sectionName, key),
    description: meta.description ?? '',
    secret: meta.secret ?? false,
    unit: meta.unit,
    fallback:
      typeof fallback === 'number' && meta.unit !== undefined ? formatQuantity(fallback, meta.unit) : asText(fallback),
    optional: z.safeParse(schema, undefined).success,
  };
}

/** The schema and what it wraps, outermost first. */
function unwrap(schema: unknown): z.ZodType[] {
  if (!(schema instanceof z.ZodType)) return [];
  const def: object = schema.def;
  const inner = 'innerType' in def ? def.innerType : 'in' in def ? def.in : undefined;
  return [schema, ...unwrap(inner)];
}

function readMeta(schema: z.ZodType): z.output<typeof metaSchema> {
  return metaSchema.catch({}).parse(z.globalRegistry.get(schema) ?? {});
}

function defaultOf(schema: z.ZodType): unknown {
  const def: object = schema.def;
  return 'defaultValue' in def ? def.defaultValue : undefined;
}

function asText(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  return typeof value === 'string' ? value : JSON.stringify(value);
}
