/** A statement that sets these until the end of its transaction, and its parameters. */
export function localSettings(settings: Readonly<Record<string, string>>): { sql: string; params: string[] } {
  const params = Object.entries(settings).flat();
  const calls = Object.keys(settings).map((_, place) => `set_config($${2 * place + 1}, $${2 * place + 2}, true)`);
  return { sql: `SELECT ${calls.join(", ")}`, params };
}
