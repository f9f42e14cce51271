/** One request to a service, before it is sent. */
export interface PacedRequest {
  /** Who is limited: provider, address and model. Processes with one key share its limits. */
  readonly key: string;
  /** null: not limited. */
  readonly requestsPerMinute: number | null;
  readonly tokensPerMinute: number | null;
  /** Tokens that it will take, as far as they are known before. */
  readonly tokens: number;
}

/** Limits that any number of processes keep together. */
export interface RateLimits {
  /**
   * Reserves room for one request, in one statement.
   * @returns after how many ms it may be sent (database clock). Requests that are sent then and not earlier never pass a limit in any minute, whoever
   *   sends them. A reservation that is not used is lost, not given to others.
   */
  reserve(request: PacedRequest): Promise<number>;
}
