import { type FaultCode, faultCode } from './codes.ts';
import { asRecord, Malformed } from './wire/read.ts';

/** Why something did not work. */
export interface Fault {
  code: FaultCode;
  /** The server's own words, for whoever writes programs; empty where there are none. */
  message: string;
}

/** A refusal that a client can act on: an `error` frame, a problem document (RFC 9457), or no answer at all. */
export class Problem extends Error implements Fault {
  override readonly name = 'Problem';
  /** HTTP status, or 0 where there was no answer. */
  readonly status: number;
  readonly code: FaultCode;
  readonly temporary: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(fields: {
    status: number;
    code: FaultCode;
    message?: string;
    temporary: boolean;
    retryAfterMs?: number | undefined;
  }) {
    super(fields.message);
    this.status = fields.status;
    this.code = fields.code;
    this.temporary = fields.temporary;
    this.retryAfterMs = fields.retryAfterMs;
  }
}

/** No answer came: the network, or a server that is down. */
export function unreachable(): Problem {
  return new Problem({ status: 0, code: 'unreachable', temporary: true });
}

/** The problem in an HTTP answer, whatever its body turns out to be. */
export async function problemOf(response: Response): Promise<Problem> {
  const body = asRecord(await response.json().catch(() => null)) ?? {};
  const { code, detail, title, temporary, retry_after_ms } = body;
  // A proxy in front answers for a gateway that is away, and knows nothing of our codes.
  const away = response.status === 502 || response.status === 503 || response.status === 504;
  const message = [detail, title].find((text) => typeof text === 'string');
  return new Problem({
    status: response.status,
    code: typeof code === 'string' ? faultCode(code, 'code') : away ? 'unreachable' : 'internal',
    message: typeof message === 'string' ? message : '',
    temporary: typeof temporary === 'boolean' ? temporary : away || response.status === 429,
    retryAfterMs:
      typeof retry_after_ms === 'number' && retry_after_ms >= 0
        ? retry_after_ms
        : retryAfterHeaderMs(response.headers.get('Retry-After')),
  });
}

/** What a request can fail with; anything else is a mistake of ours and goes on up. */
export function problemIn(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof Malformed) {
    return new Problem({ status: 0, code: 'malformed', message: error.message, temporary: false });
  }
  throw error;
}

/** What is kept of a problem. */
export function faultOf({ code, message }: Problem): Fault {
  return { code, message };
}

function retryAfterHeaderMs(header: string | null): number | undefined {
  return header !== null && /^\d{1,6}$/.test(header) ? Number(header) * 1000 : undefined;
}
