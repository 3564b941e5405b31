/** What a browser does with cookies, as far as one service goes. */

export interface Jar {
  readonly fetch: (request: Request) => Promise<Response>;
  readonly cookies: ReadonlyMap<string, string>;
}

export function jar(): Jar {
  const cookies = new Map<string, string>();
  return {
    cookies,
    async fetch(request) {
      const shows = request.credentials === "include" && cookies.size > 0;
      if (shows) {
        request.headers.set("Cookie", [...cookies].map(([name, value]) => `${name}=${value}`).join("; "));
      }
      const response = await fetch(request);
      for (const line of response.headers.getSetCookie()) {
        keep(cookies, line);
      }
      return response;
    },
  };
}

function keep(cookies: Map<string, string>, line: string): void {
  const [pair = "", ...attributes] = line.split("; ");
  const [name = "", value = ""] = pair.split("=");
  if (attributes.includes("Max-Age=0")) {
    cookies.delete(name);
  } else {
    cookies.set(name, value);
  }
}
