/** Reads `WWW-Authenticate` (RFC 9110 11.6.1): what a bearer token lacked (RFC 6750 3, RFC 9470 3). */

export interface BearerRefusal {
  readonly error: string;
  readonly parameters: Readonly<Record<string, string>>;
}

// One after the other: a scheme, a parameter with a token or a quoted string, or whatever else.
const PART = /([!#$%&'*+.^_`|~\w-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+)))?/g;

/** Null when no bearer token was refused: another scheme, or none was shown. */
export function bearerRefusal(header: string | null): BearerRefusal | null {
  const parameters: Record<string, string> = {};
  let scheme = "";
  for (const [, name = "", quoted, token] of (header ?? "").matchAll(PART)) {
    const value = quoted?.replace(/\\(.)/g, "$1") ?? token;
    if (value === undefined) {
      scheme = name.toLowerCase();
    } else if (scheme === "bearer") {
      parameters[name.toLowerCase()] ??= value;
    }
  }
  const error = parameters["error"];
  return error === undefined ? null : { error, parameters };
}
