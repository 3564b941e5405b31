/** Hides what nobody may read over a shoulder, or find in a screenshot. Of tokens the start stays, to tell them apart. */

const HIDDEN = new Set(["password", "current_password", "new_password", "code", "secret", "otpauth_uri", "recovery_codes"]);
const LONG = { qr_svg: "<svg …>" };
const SHOWN = 6; // characters of a token

export function withoutSecrets(value, name = "") {
  if (value === null || value === undefined) return value;
  if (Array.isArray(value)) return value.map((each) => withoutSecrets(each, name));
  if (typeof value === "object") {
    const isProblem = "request_id" in value; // there `code` is the refusal's name
    return Object.fromEntries(Object.entries(value).map(([key, inner]) =>
      [key, isProblem && key === "code" ? inner : withoutSecrets(inner, key)]));
  }
  if (typeof value !== "string") return value;
  if (LONG[name]) return LONG[name];
  if (HIDDEN.has(name)) return "••••••";
  if (name.endsWith("_token")) return `${value.slice(0, SHOWN)}…`;
  return value;
}

/** A command line that does the same; what is secret is to be set in the shell before: $PASSWORD, $CODE, $TOKEN. */
export function asCurl({ method, path, hasToken, isCookie, body }, origin) {
  const parts = [`curl -sS ${method === "GET" ? "" : `-X ${method} `}${quoted(origin + path)}`];
  if (hasToken) parts.push(`-H "Authorization: Bearer $TOKEN"`);
  if (isCookie) parts.push("-H 'X-Token-Transport: cookie' -b cookies.txt -c cookies.txt");
  if (body) parts.push("-H 'Content-Type: application/json'", `-d ${jsonArgument(body)}`);
  return parts.join(" \\\n  ");
}

function jsonArgument(body) {
  const text = quoted(JSON.stringify(body));
  const secret = /"(\w+)":"••••••"|"(\w+_token)":"[^"]{6}…"/g;
  return text.replace(secret, (_, hidden, token) => variable(hidden ?? token));
}

function variable(name) {
  return `"${name}":"'"$${name.toUpperCase()}"'"`;
}

/** For a POSIX shell: nothing inside means anything to it. */
function quoted(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
