/*
otp-auth-client 0.1.0, made by clients/typescript/scripts/build.mjs: change the sources, not this file.
It contains openapi-fetch 0.17.0:

MIT License

Copyright (c) 2023 Drew Powers

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
*/

// node_modules/openapi-fetch/dist/index.mjs
var PATH_PARAM_RE = /\{[^{}]+\}/g;
var supportsRequestInitExt = () => {
  return typeof process === "object" && Number.parseInt(process?.versions?.node?.substring(0, 2)) >= 18 && process.versions.undici;
};
function randomID() {
  return Math.random().toString(36).slice(2, 11);
}
function createClient(clientOptions) {
  let {
    baseUrl = "",
    Request: CustomRequest = globalThis.Request,
    fetch: baseFetch = globalThis.fetch,
    querySerializer: globalQuerySerializer,
    bodySerializer: globalBodySerializer,
    pathSerializer: globalPathSerializer,
    headers: baseHeaders,
    requestInitExt = void 0,
    ...baseOptions
  } = { ...clientOptions };
  requestInitExt = supportsRequestInitExt() ? requestInitExt : void 0;
  baseUrl = removeTrailingSlash(baseUrl);
  const globalMiddlewares = [];
  async function coreFetch(schemaPath, fetchOptions) {
    const {
      baseUrl: localBaseUrl,
      fetch = baseFetch,
      Request: Request2 = CustomRequest,
      headers,
      params = {},
      parseAs = "json",
      querySerializer: requestQuerySerializer,
      bodySerializer = globalBodySerializer ?? defaultBodySerializer,
      pathSerializer: requestPathSerializer,
      body,
      middleware: requestMiddlewares = [],
      ...init
    } = fetchOptions || {};
    let finalBaseUrl = baseUrl;
    if (localBaseUrl) {
      finalBaseUrl = removeTrailingSlash(localBaseUrl) ?? baseUrl;
    }
    let querySerializer = typeof globalQuerySerializer === "function" ? globalQuerySerializer : createQuerySerializer(globalQuerySerializer);
    if (requestQuerySerializer) {
      querySerializer = typeof requestQuerySerializer === "function" ? requestQuerySerializer : createQuerySerializer({
        ...typeof globalQuerySerializer === "object" ? globalQuerySerializer : {},
        ...requestQuerySerializer
      });
    }
    const pathSerializer = requestPathSerializer || globalPathSerializer || defaultPathSerializer;
    const serializedBody = body === void 0 ? void 0 : bodySerializer(
      body,
      // Note: we declare mergeHeaders() both here and below because it’s a bit of a chicken-or-egg situation:
      // bodySerializer() needs all headers so we aren’t dropping ones set by the user, however,
      // the result of this ALSO sets the lowest-priority content-type header. So we re-merge below,
      // setting the content-type at the very beginning to be overwritten.
      // Lastly, based on the way headers work, it’s not a simple “present-or-not” check becauase null intentionally un-sets headers.
      mergeHeaders(baseHeaders, headers, params.header)
    );
    const finalHeaders = mergeHeaders(
      // with no body, we should not to set Content-Type
      serializedBody === void 0 || // if serialized body is FormData; browser will correctly set Content-Type & boundary expression
      serializedBody instanceof FormData ? {} : {
        "Content-Type": "application/json"
      },
      baseHeaders,
      headers,
      params.header
    );
    const finalMiddlewares = [...globalMiddlewares, ...requestMiddlewares];
    const requestInit = {
      redirect: "follow",
      ...baseOptions,
      ...init,
      body: serializedBody,
      headers: finalHeaders
    };
    let id;
    let options;
    let request = new Request2(
      createFinalURL(schemaPath, { baseUrl: finalBaseUrl, params, querySerializer, pathSerializer }),
      requestInit
    );
    let response;
    for (const key in init) {
      if (!(key in request)) {
        request[key] = init[key];
      }
    }
    if (finalMiddlewares.length) {
      id = randomID();
      options = Object.freeze({
        baseUrl: finalBaseUrl,
        fetch,
        parseAs,
        querySerializer,
        bodySerializer,
        pathSerializer
      });
      for (const m of finalMiddlewares) {
        if (m && typeof m === "object" && typeof m.onRequest === "function") {
          const result = await m.onRequest({
            request,
            schemaPath,
            params,
            options,
            id
          });
          if (result) {
            if (result instanceof Request2) {
              request = result;
            } else if (result instanceof Response) {
              response = result;
              break;
            } else {
              throw new Error("onRequest: must return new Request() or Response() when modifying the request");
            }
          }
        }
      }
    }
    if (!response) {
      try {
        response = await fetch(request, requestInitExt);
      } catch (error2) {
        let errorAfterMiddleware = error2;
        if (finalMiddlewares.length) {
          for (let i = finalMiddlewares.length - 1; i >= 0; i--) {
            const m = finalMiddlewares[i];
            if (m && typeof m === "object" && typeof m.onError === "function") {
              const result = await m.onError({
                request,
                error: errorAfterMiddleware,
                schemaPath,
                params,
                options,
                id
              });
              if (result) {
                if (result instanceof Response) {
                  errorAfterMiddleware = void 0;
                  response = result;
                  break;
                }
                if (result instanceof Error) {
                  errorAfterMiddleware = result;
                  continue;
                }
                throw new Error("onError: must return new Response() or instance of Error");
              }
            }
          }
        }
        if (errorAfterMiddleware) {
          throw errorAfterMiddleware;
        }
      }
      if (finalMiddlewares.length) {
        for (let i = finalMiddlewares.length - 1; i >= 0; i--) {
          const m = finalMiddlewares[i];
          if (m && typeof m === "object" && typeof m.onResponse === "function") {
            const result = await m.onResponse({
              request,
              response,
              schemaPath,
              params,
              options,
              id
            });
            if (result) {
              if (!(result instanceof Response)) {
                throw new Error("onResponse: must return new Response() when modifying the response");
              }
              response = result;
            }
          }
        }
      }
    }
    const contentLength = response.headers.get("Content-Length");
    if (response.status === 204 || request.method === "HEAD" || contentLength === "0" && !response.headers.get("Transfer-Encoding")?.includes("chunked")) {
      return response.ok ? { data: void 0, response } : { error: void 0, response };
    }
    if (response.ok) {
      const getResponseData = async () => {
        if (parseAs === "stream") {
          return response.body;
        }
        if (parseAs === "json" && !contentLength) {
          const raw = await response.text();
          return raw ? JSON.parse(raw) : void 0;
        }
        return await response[parseAs]();
      };
      return { data: await getResponseData(), response };
    }
    let error = await response.text();
    try {
      error = JSON.parse(error);
    } catch {
    }
    return { error, response };
  }
  return {
    request(method, url, init) {
      return coreFetch(url, { ...init, method: method.toUpperCase() });
    },
    /** Call a GET endpoint */
    GET(url, init) {
      return coreFetch(url, { ...init, method: "GET" });
    },
    /** Call a PUT endpoint */
    PUT(url, init) {
      return coreFetch(url, { ...init, method: "PUT" });
    },
    /** Call a POST endpoint */
    POST(url, init) {
      return coreFetch(url, { ...init, method: "POST" });
    },
    /** Call a DELETE endpoint */
    DELETE(url, init) {
      return coreFetch(url, { ...init, method: "DELETE" });
    },
    /** Call a OPTIONS endpoint */
    OPTIONS(url, init) {
      return coreFetch(url, { ...init, method: "OPTIONS" });
    },
    /** Call a HEAD endpoint */
    HEAD(url, init) {
      return coreFetch(url, { ...init, method: "HEAD" });
    },
    /** Call a PATCH endpoint */
    PATCH(url, init) {
      return coreFetch(url, { ...init, method: "PATCH" });
    },
    /** Call a TRACE endpoint */
    TRACE(url, init) {
      return coreFetch(url, { ...init, method: "TRACE" });
    },
    /** Register middleware */
    use(...middleware) {
      for (const m of middleware) {
        if (!m) {
          continue;
        }
        if (typeof m !== "object" || !("onRequest" in m || "onResponse" in m || "onError" in m)) {
          throw new Error("Middleware must be an object with one of `onRequest()`, `onResponse() or `onError()`");
        }
        globalMiddlewares.push(m);
      }
    },
    /** Unregister middleware */
    eject(...middleware) {
      for (const m of middleware) {
        const i = globalMiddlewares.indexOf(m);
        if (i !== -1) {
          globalMiddlewares.splice(i, 1);
        }
      }
    }
  };
}
function serializePrimitiveParam(name, value, options) {
  if (value === void 0 || value === null) {
    return "";
  }
  if (typeof value === "object") {
    throw new Error(
      "Deeply-nested arrays/objects aren’t supported. Provide your own `querySerializer()` to handle these."
    );
  }
  return `${name}=${options?.allowReserved === true ? value : encodeURIComponent(value)}`;
}
function serializeObjectParam(name, value, options) {
  if (!value || typeof value !== "object") {
    return "";
  }
  const values = [];
  const joiner = {
    simple: ",",
    label: ".",
    matrix: ";"
  }[options.style] || "&";
  if (options.style !== "deepObject" && options.explode === false) {
    for (const k in value) {
      values.push(k, options.allowReserved === true ? value[k] : encodeURIComponent(value[k]));
    }
    const final2 = values.join(",");
    switch (options.style) {
      case "form": {
        return `${name}=${final2}`;
      }
      case "label": {
        return `.${final2}`;
      }
      case "matrix": {
        return `;${name}=${final2}`;
      }
      default: {
        return final2;
      }
    }
  }
  for (const k in value) {
    const finalName = options.style === "deepObject" ? `${name}[${k}]` : k;
    values.push(serializePrimitiveParam(finalName, value[k], options));
  }
  const final = values.join(joiner);
  return options.style === "label" || options.style === "matrix" ? `${joiner}${final}` : final;
}
function serializeArrayParam(name, value, options) {
  if (!Array.isArray(value)) {
    return "";
  }
  if (options.explode === false) {
    const joiner2 = { form: ",", spaceDelimited: "%20", pipeDelimited: "|" }[options.style] || ",";
    const final = (options.allowReserved === true ? value : value.map((v) => encodeURIComponent(v))).join(joiner2);
    switch (options.style) {
      case "simple": {
        return final;
      }
      case "label": {
        return `.${final}`;
      }
      case "matrix": {
        return `;${name}=${final}`;
      }
      // case "spaceDelimited":
      // case "pipeDelimited":
      default: {
        return `${name}=${final}`;
      }
    }
  }
  const joiner = { simple: ",", label: ".", matrix: ";" }[options.style] || "&";
  const values = [];
  for (const v of value) {
    if (options.style === "simple" || options.style === "label") {
      values.push(options.allowReserved === true ? v : encodeURIComponent(v));
    } else {
      values.push(serializePrimitiveParam(name, v, options));
    }
  }
  return options.style === "label" || options.style === "matrix" ? `${joiner}${values.join(joiner)}` : values.join(joiner);
}
function createQuerySerializer(options) {
  return function querySerializer(queryParams) {
    const search = [];
    if (queryParams && typeof queryParams === "object") {
      for (const name in queryParams) {
        const value = queryParams[name];
        if (value === void 0 || value === null) {
          continue;
        }
        if (Array.isArray(value)) {
          if (value.length === 0) {
            continue;
          }
          search.push(
            serializeArrayParam(name, value, {
              style: "form",
              explode: true,
              ...options?.array,
              allowReserved: options?.allowReserved || false
            })
          );
          continue;
        }
        if (typeof value === "object") {
          search.push(
            serializeObjectParam(name, value, {
              style: "deepObject",
              explode: true,
              ...options?.object,
              allowReserved: options?.allowReserved || false
            })
          );
          continue;
        }
        search.push(serializePrimitiveParam(name, value, options));
      }
    }
    return search.join("&");
  };
}
function defaultPathSerializer(pathname, pathParams) {
  let nextURL = pathname;
  for (const match of pathname.match(PATH_PARAM_RE) ?? []) {
    let name = match.substring(1, match.length - 1);
    let explode = false;
    let style = "simple";
    if (name.endsWith("*")) {
      explode = true;
      name = name.substring(0, name.length - 1);
    }
    if (name.startsWith(".")) {
      style = "label";
      name = name.substring(1);
    } else if (name.startsWith(";")) {
      style = "matrix";
      name = name.substring(1);
    }
    if (!pathParams || pathParams[name] === void 0 || pathParams[name] === null) {
      continue;
    }
    const value = pathParams[name];
    if (Array.isArray(value)) {
      nextURL = nextURL.replace(match, serializeArrayParam(name, value, { style, explode }));
      continue;
    }
    if (typeof value === "object") {
      nextURL = nextURL.replace(match, serializeObjectParam(name, value, { style, explode }));
      continue;
    }
    if (style === "matrix") {
      nextURL = nextURL.replace(match, `;${serializePrimitiveParam(name, value)}`);
      continue;
    }
    nextURL = nextURL.replace(match, style === "label" ? `.${encodeURIComponent(value)}` : encodeURIComponent(value));
  }
  return nextURL;
}
function defaultBodySerializer(body, headers) {
  if (body instanceof FormData) {
    return body;
  }
  if (headers) {
    const contentType = headers.get instanceof Function ? headers.get("Content-Type") ?? headers.get("content-type") : headers["Content-Type"] ?? headers["content-type"];
    if (contentType === "application/x-www-form-urlencoded") {
      return new URLSearchParams(body).toString();
    }
  }
  return JSON.stringify(body);
}
function createFinalURL(pathname, options) {
  let finalURL = `${options.baseUrl}${pathname}`;
  if (options.params?.path) {
    finalURL = options.pathSerializer(finalURL, options.params.path);
  }
  let search = options.querySerializer(options.params.query ?? {});
  if (search.startsWith("?")) {
    search = search.substring(1);
  }
  if (search) {
    finalURL += `?${search}`;
  }
  return finalURL;
}
function mergeHeaders(...allHeaders) {
  const finalHeaders = new Headers();
  for (const h of allHeaders) {
    if (!h || typeof h !== "object") {
      continue;
    }
    const iterator = h instanceof Headers ? h.entries() : Object.entries(h);
    for (const [k, v] of iterator) {
      if (v === null) {
        finalHeaders.delete(k);
      } else if (Array.isArray(v)) {
        for (const v2 of v) {
          finalHeaders.append(k, v2);
        }
      } else if (v !== void 0) {
        finalHeaders.set(k, v);
      }
    }
  }
  return finalHeaders;
}
function removeTrailingSlash(url) {
  if (url.endsWith("/")) {
    return url.substring(0, url.length - 1);
  }
  return url;
}

// src/errors.ts
var ProblemError = class extends Error {
  name = "ProblemError";
  code;
  status;
  title;
  detail;
  /** Of the service's log: quote it when you report something. */
  requestId;
  /** Whole seconds to wait, with every 429 and 503. */
  retryAfter;
  /** What is wrong with which field, with `validation_failed` and `weak_password`. */
  errors;
  /** Tries that this challenge has left, with `wrong_code`. */
  attemptsLeft;
  /** The whole body, with members that this version has no name for. */
  problem;
  /** The status is the answer's: what a body says of it anybody between here and the service may have written. */
  constructor(problem, status, retryAfter = null) {
    super(`${problem.code}: ${problem.detail}`);
    this.code = problem.code;
    this.status = status;
    this.title = problem.title;
    this.detail = problem.detail;
    this.requestId = problem.request_id;
    this.retryAfter = retryAfter;
    this.errors = problem.errors ?? [];
    this.attemptsLeft = problem.attempts_left ?? null;
    this.problem = problem;
  }
};
var ConnectionError = class extends Error {
  name = "ConnectionError";
  /** Of an answer that wasn't the service's, such as a proxy's 502. */
  status;
  constructor(message, { status = null, cause } = {}) {
    super(message, { cause });
    this.status = status;
  }
};
var NotReadyError = class extends Error {
  name = "NotReadyError";
};
function isDefinite(error) {
  return error instanceof ProblemError && error.status === 401 && error.code === "invalid_token";
}
function isProblem(error, ...codes) {
  return error instanceof ProblemError && (codes.length === 0 || codes.includes(error.code));
}

// src/answers.ts
async function unwrap(asked) {
  const { data, error, response } = await asked.catch(notReadable);
  if (response.ok) {
    return data;
  }
  throw refusal(error, response);
}
function refusal(body, response) {
  if (isProblemBody(body)) {
    return new ProblemError(body, response.status, seconds(response.headers.get("Retry-After")));
  }
  const message = `Something between here and the service answered ${response.status}.`;
  return new ConnectionError(message, { status: response.status });
}
function isProblemBody(body) {
  return typeof body === "object" && body !== null && "code" in body && typeof body.code === "string";
}
function seconds(header) {
  return header !== null && /^\d+$/.test(header) ? Number(header) : null;
}
function notReadable(error) {
  throw error instanceof SyntaxError ? new ConnectionError("The answer isn't JSON: it isn't the service's.", { cause: error }) : error;
}

// src/shape.ts
var isText = (value) => typeof value === "string";
var isFlag = (value) => typeof value === "boolean";
var isNull = (value) => value === null;
var orNull = (test) => (value) => isNull(value) || test(value);
var shaped = (parts) => (value) => typeof value === "object" && value !== null && !Array.isArray(value) && Object.entries(parts).every(([name, test]) => test(value[name]));
var isSession = shaped({
  id: isText,
  user: shaped({ id: isText }),
  accessToken: isText,
  renewAt: Number.isFinite,
  refreshToken: orNull(isText)
});
var isPending = shaped({
  token: isText,
  purpose: isText,
  methods: Array.isArray,
  challenge: orNull(shaped({})),
  expiresAt: isText
});
var isReset = shaped({ token: isText, proofRequired: isFlag, expiresAt: isText });
var isWhole = shaped({
  session: orNull(isSession),
  pending: orNull(isPending),
  reset: orNull(isReset),
  deviceToken: orNull(isText),
  untold: orNull(shaped({}))
});
function isHolding(kept) {
  return isWhole(kept);
}

// src/record.ts
var NOTHING = {
  session: null,
  pending: null,
  reset: null,
  deviceToken: null,
  untold: null
};
var VERSION = 3;
function write(holding) {
  const isEmpty = Object.values(holding).every((part) => part === null);
  return isEmpty ? null : JSON.stringify({ version: VERSION, ...holding });
}
function read(entry) {
  try {
    const kept = JSON.parse(entry ?? "null");
    if (!isHolding(kept) || !("version" in kept && kept.version === VERSION)) {
      return NOTHING;
    }
    const { session, pending, reset, deviceToken, untold } = kept;
    return { session, pending, reset, deviceToken, untold };
  } catch {
    return NOTHING;
  }
}
function publicState({ session, pending: held, reset }) {
  const pending = held && visiblePending(held);
  const allowed = reset && visibleReset(reset);
  if (session) {
    const { id, user } = session;
    return { status: "signed_in", session: { id, user }, pending, reset: allowed };
  }
  if (pending) {
    return { status: "pending", session: null, pending, reset: null };
  }
  return allowed ? { status: "reset_allowed", session: null, pending: null, reset: allowed } : { status: "signed_out", session: null, pending: null, reset: null };
}
function visiblePending({ token: _, ...visible }) {
  return visible;
}
function visibleReset({ token: _, ...visible }) {
  return visible;
}
function withoutSession(holding) {
  const { pending } = holding;
  const outlives = pending !== null && !["step_up", "phone_change"].includes(pending.purpose);
  return { ...holding, session: null, pending: outlives ? pending : null };
}

// src/account.ts
var query = ({ cursor }) => ({
  params: { query: cursor === void 0 ? {} : { cursor } }
});
function newAccount(api, holder) {
  const know = (user) => {
    holder.know(user);
    return user;
  };
  return {
    getMe: async () => know(await unwrap(api.GET("/api/v1/me"))),
    changeMe: async (body) => know(await unwrap(api.PATCH("/api/v1/me", { body }))),
    exportMe: async () => await unwrap(api.GET("/api/v1/me/export")),
    async deleteMe() {
      await unwrap(api.DELETE("/api/v1/me"));
      holder.change(() => NOTHING);
    },
    changePassword: async (body) => void await unwrap(api.POST("/api/v1/me/password", { body })),
    cancelPasswordReset: async () => void await unwrap(api.DELETE("/api/v1/me/password-reset")),
    listFactors: async () => (await unwrap(api.GET("/api/v1/me/factors"))).items,
    enrolTotp: async () => await unwrap(api.POST("/api/v1/me/factors/totp")),
    confirmTotp: async (code) => await unwrap(api.POST("/api/v1/me/factors/totp/confirm", { body: { code } })),
    removeTotp: async () => void await unwrap(api.DELETE("/api/v1/me/factors/totp")),
    renewRecoveryCodes: async () => (await unwrap(api.POST("/api/v1/me/recovery-codes"))).recovery_codes,
    listSessions: async (page = {}) => await unwrap(api.GET("/api/v1/me/sessions", query(page))),
    endSession: async (session_id) => void await unwrap(
      api.DELETE("/api/v1/me/sessions/{session_id}", {
        params: { path: { session_id: segment(session_id) } }
      })
    ),
    endOtherSessions: async () => void await unwrap(api.DELETE("/api/v1/me/sessions")),
    listDevices: async (page = {}) => await unwrap(api.GET("/api/v1/me/devices", query(page))),
    endDevice: async (device_id) => void await unwrap(
      api.DELETE("/api/v1/me/devices/{device_id}", { params: { path: { device_id: segment(device_id) } } })
    ),
    listEvents: async (page = {}) => await unwrap(api.GET("/api/v1/me/events", query(page)))
  };
}
function segment(id) {
  if (/^(\.|%2e){0,2}$/i.test(id)) {
    throw new TypeError(`"${id}" names nothing.`);
  }
  return id;
}

// src/bearer.ts
var PART = /([!#$%&'*+.^_`|~\w-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+)))?/g;
function bearerRefusal(header) {
  const parameters = {};
  let scheme = "";
  for (const [, name = "", quoted, token2] of (header ?? "").matchAll(PART)) {
    const value = quoted?.replace(/\\(.)/g, "$1") ?? token2;
    if (value === void 0) {
      scheme = name.toLowerCase();
    } else if (scheme === "bearer") {
      parameters[name.toLowerCase()] ??= value;
    }
  }
  const error = parameters["error"];
  return error === void 0 ? null : { error, parameters };
}

// src/credentials.ts
var API = "/api/v1";
var BY_PATH = [
  ["/auth/otp", "pending"],
  ["/auth/password/reset", "reset"],
  ["/auth/step-up", "access"],
  ["/auth/logout", "leaving"],
  ["/me", "access"]
];
function credentialOf(path) {
  const found = BY_PATH.find(([prefix]) => `${path}/`.startsWith(`${API}${prefix}/`));
  return found?.[1] ?? "none";
}

// src/authorized.ts
var Authorized = class {
  #service;
  #holder;
  #refresher;
  #stepUps;
  constructor(service, holder, refresher, stepUps) {
    this.#service = service;
    this.#holder = holder;
    this.#refresher = refresher;
    this.#stepUps = stepUps;
  }
  /** Send a request to the service. */
  async send(request) {
    const credential = credentialOf(this.#service.pathOf(request.url) ?? "");
    return credential === "access" || credential === "leaving" && !this.#service.usesCookie ? await this.sendWithAccess(request) : await this.#service.send(this.#withTokenFor(credential, request));
  }
  /** Send a request with the access token: at most once more for each of a refresh and a step-up. */
  async sendWithAccess(request) {
    const remedies = [
      (response, refused) => this.#afterRefresh(response, refused),
      (response, refused) => this.#afterOthersStepUp(response, refused),
      (response, refused) => this.#afterStepUp(response, refused)
    ];
    let session = await this.#refresher.fresh();
    for (; ; ) {
      const response = await this.#service.send(withToken(request.clone(), session.accessToken));
      if (response.status !== 401) {
        return response;
      }
      const better = await this.#remedied(response, session, remedies);
      if (better === null) {
        return response;
      }
      await response.body?.cancel();
      session = better;
    }
  }
  /** Try what fits, and each thing once: a remedy that was tried leaves the list. */
  async #remedied(response, refused, remedies) {
    for (const remedy of [...remedies]) {
      const better = remedy(response, refused);
      if (better !== null) {
        remedies.splice(remedies.indexOf(remedy), 1);
        const session = await better;
        if (session !== null) {
          return session;
        }
      }
    }
    return null;
  }
  #afterRefresh(response, refused) {
    if (!says(response, "invalid_token")) {
      return null;
    }
    const ended = (error) => {
      if (error instanceof NotReadyError || isDefinite(error)) {
        return null;
      }
      throw error;
    };
    return this.#refresher.renew(refused.accessToken).catch(ended);
  }
  /** Another request's step-up may have come to its end while this one was on its way. */
  #afterOthersStepUp(response, refused) {
    const current = this.#holder.session;
    const isAnother = current?.id === refused.id && current.accessToken !== refused.accessToken;
    return isAnother && says(response, STEP_UP) ? Promise.resolve(current) : null;
  }
  #afterStepUp(response, refused) {
    const wanted = bearerRefusal(response.headers.get("WWW-Authenticate"));
    return wanted?.error === STEP_UP ? this.#stepUps.proveFor(refused, wanted) : null;
  }
  #withTokenFor(credential, request) {
    const { session, pending, reset } = this.#holder.now;
    switch (credential) {
      case "none":
        return request;
      case "leaving":
        return session ? withToken(request, session.accessToken) : request;
      case "pending":
        return withToken(request, token(pending, "No code is pending: begin with logIn or the like."));
      case "reset":
        return withToken(request, token(reset, "No reset is permitted: begin with forgotPassword."));
    }
  }
};
var STEP_UP = "insufficient_user_authentication";
function says(response, error) {
  return bearerRefusal(response.headers.get("WWW-Authenticate"))?.error === error;
}
function token(held, otherwise) {
  if (held === null) {
    throw new NotReadyError(otherwise);
  }
  return held.token;
}
function withToken(request, token2) {
  request.headers.set("Authorization", `Bearer ${token2}`);
  return request;
}

// src/sessions.ts
var LONGEST_MARGIN = 3e4;
function sessionOf(tokens) {
  return {
    id: tokens.session_id,
    user: tokens.user,
    accessToken: tokens.access_token,
    renewAt: renewAt(tokens.expires_in),
    refreshToken: tokens.refresh_token ?? null
  };
}
function renewAt(expiresIn) {
  const life = expiresIn * 1e3;
  return Date.now() + life - Math.min(life / 10, LONGEST_MARGIN);
}
function signIn(holding, tokens) {
  const deviceToken = tokens.device_token ?? holding.deviceToken;
  return { session: sessionOf(tokens), pending: null, reset: null, deviceToken, untold: null };
}
function elevate(session, elevated) {
  return { ...session, accessToken: elevated.access_token, renewAt: renewAt(elevated.expires_in) };
}
function pendingOf(answer, purpose) {
  return {
    token: answer.pending_token,
    purpose,
    methods: answer.methods,
    challenge: answer.challenge,
    expiresAt: moment(answer.expires_in)
  };
}
function resetOf(allowed) {
  return {
    token: allowed.reset_token,
    proofRequired: allowed.proof_required,
    expiresAt: moment(allowed.expires_in)
  };
}
function withoutTokens({ status, session_id, user, recovery_codes }) {
  return { status, session_id, user, ...recovery_codes && { recovery_codes } };
}
function moment(secondsFromNow) {
  return new Date(Date.now() + secondsFromNow * 1e3).toISOString();
}

// src/ceremonies.ts
var OVER = ["challenge_closed", "invalid_token", "account_exists"];
function newCeremonies(parts) {
  return { ...newStarts(parts), ...newProofs(parts) };
}
function newStarts(parts) {
  const { api, holder } = parts;
  const begin = (answer, purpose) => {
    const pending = pendingOf(answer, purpose);
    holder.change((held) => ({ ...held, pending, reset: null }));
    return { status: "otp_required", pending: visiblePending(pending) };
  };
  const beginBeside = async (ask, purpose) => {
    const before = holder.session?.id;
    const answer = await ask;
    if (holder.session?.id !== before) {
      throw new NotReadyError("The session that this was begun in is over.");
    }
    return begin(answer, purpose);
  };
  return {
    async register(body) {
      return begin(await unwrap(api.POST("/api/v1/auth/register", { body })), "register");
    },
    async logIn(body) {
      const { deviceToken } = holder.now;
      const complete = deviceToken === null ? body : { device_token: deviceToken, ...body };
      const answer = await unwrap(api.POST("/api/v1/auth/login", { body: complete }));
      return answer.status === "authenticated" ? enter(parts, answer) : begin(answer, "login");
    },
    async stepUp(body = {}) {
      return await beginBeside(unwrap(api.POST("/api/v1/auth/step-up", { body })), "step_up");
    },
    async forgotPassword(body) {
      return begin(await unwrap(api.POST("/api/v1/auth/password/forgot", { body })), "password_reset");
    },
    async changePhone(body) {
      return await beginBeside(unwrap(api.POST("/api/v1/me/phone", { body })), "phone_change");
    }
  };
}
function newProofs(parts) {
  const { api, holder, takeTurns } = parts;
  return {
    sendCode: (method) => within(holder, async ({ token: token2 }) => {
      const challenge = await unwrap(api.POST("/api/v1/auth/otp/send", { body: { method } }));
      holder.changePending(token2, (pending) => ({ ...pending, challenge }));
      return challenge;
    }),
    getChallenge: () => within(holder, async (pending) => {
      const { methods, challenge } = await unwrap(api.GET("/api/v1/auth/otp"));
      const seen = { ...pending, methods, challenge };
      holder.changePending(pending.token, () => seen);
      return visiblePending(seen);
    }),
    // In turns with refreshes: in cookie mode a late answer of one would put back the cookie of before.
    verifyCode: (body) => takeTurns(
      () => within(holder, async (pending) => settle(parts, pending, await askToVerify(api, body)))
    ),
    abandon: () => holder.change((held) => ({ ...held, pending: null, reset: null })),
    async resetPassword(body) {
      const { token: token2 } = holder.reset ?? { token: "" };
      try {
        const held = await unwrap(api.POST("/api/v1/auth/password/reset", { body }));
        holder.endReset(token2);
        return held ?? { status: "done" };
      } catch (error) {
        if (isOver(error)) {
          holder.endReset(token2);
        }
        throw error;
      }
    }
  };
}
function enter({ holder, leaving }, tokens) {
  holder.change((held) => signIn(held, tokens));
  leaving.settled();
  return withoutTokens(tokens);
}
function askToVerify(api, body) {
  return unwrap(api.POST("/api/v1/auth/otp/verify", { body }));
}
async function within(holder, work) {
  const { pending } = holder;
  if (!pending) {
    throw new NotReadyError("No code is pending: begin with logIn or the like.");
  }
  try {
    return await work(pending);
  } catch (error) {
    if (isOver(error)) {
      holder.changePending(pending.token, () => null);
    } else if (error instanceof ProblemError && error.attemptsLeft !== null) {
      const attempts_left = error.attemptsLeft;
      holder.changePending(pending.token, (held) => ({
        ...held,
        challenge: held.challenge && { ...held.challenge, attempts_left }
      }));
    }
    throw error;
  }
}
function isOver(error) {
  return error instanceof ProblemError && OVER.includes(error.code);
}
async function settle({ holder, leaving }, { token: token2 }, verified) {
  const { change, answer } = outcomeOf(verified);
  const isAwaited = holder.takePending(token2, change);
  if (verified.status === "phone_changed") {
    holder.know(verified.user);
  } else if (!isAwaited) {
    if (verified.status === "authenticated") {
      await leaving.dismiss(verified);
    }
    throw new NotReadyError("The code was right, but what it was for was given up meanwhile. Begin again.");
  } else if (verified.status === "authenticated") {
    leaving.settled();
  }
  return answer;
}
function outcomeOf(verified) {
  switch (verified.status) {
    case "authenticated":
      return { change: (held) => signIn(held, verified), answer: withoutTokens(verified) };
    case "elevated":
      return {
        change: (held) => ({ ...held, session: held.session && elevate(held.session, verified) }),
        answer: { status: "elevated" }
      };
    case "phone_changed":
      return { change: (held) => held, answer: verified };
    case "reset_allowed": {
      const reset = resetOf(verified);
      return {
        change: (held) => ({ ...held, reset }),
        answer: { status: "reset_allowed", reset: visibleReset(reset) }
      };
    }
  }
}

// src/holder.ts
var LONGEST_DELAY = 150;
var Holder = class {
  #storage;
  #listeners = /* @__PURE__ */ new Set();
  #unsubscribe;
  #state;
  #told;
  /** What the storage didn't take; it counts as long as that stands there which stood there then. */
  #unwritten = null;
  constructor(storage) {
    this.#storage = storage;
    this.#state = publicState(this.now);
    this.#told = JSON.stringify(this.#state);
    this.#unsubscribe = storage.subscribe?.(() => this.#tell()) ?? (() => {
    });
  }
  /** Read anew each time: another tab may have changed it just now. */
  get now() {
    const kept = this.#storage.read();
    return read(this.#unwritten?.beside === kept ? this.#unwritten.entry : kept);
  }
  get session() {
    return this.now.session;
  }
  get pending() {
    return this.now.pending;
  }
  get reset() {
    return this.now.reset;
  }
  /** The same object until something visible changes. */
  get state() {
    this.#look();
    return this.#state;
  }
  onChange(listener) {
    const entry = (state) => listener(state);
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }
  close() {
    this.#unsubscribe();
    this.#listeners.clear();
  }
  /** Between reading and writing nothing may wait. */
  change(change) {
    this.#put(change(this.now));
  }
  /** Change the session, if there still is one. */
  changeSession(change) {
    this.change((held) => held.session ? { ...held, session: change(held.session) } : held);
  }
  endSession() {
    this.change(withoutSession);
  }
  /** Change the pending code, or end it by null, unless another one has taken its place. */
  changePending(token2, change) {
    this.change(
      (held) => held.pending?.token === token2 ? { ...held, pending: change(held.pending) } : held
    );
  }
  /** End the pending code with what its proof changes, in one. False, and nothing done, when it is gone. */
  takePending(token2, change) {
    const held = this.now;
    if (held.pending?.token !== token2) {
      return false;
    }
    this.#put(change({ ...held, pending: null }));
    return true;
  }
  /** What was heard of the user is shown everywhere. */
  know(user) {
    this.changeSession((session) => session.user.id === user.id ? { ...session, user } : session);
  }
  endReset(token2) {
    this.change((held) => held.reset?.token === token2 ? { ...held, reset: null } : held);
  }
  /** Browsers hand localStorage from tab to tab with a delay: wait for what another one has written just now. */
  async heard(isHere) {
    if (isHere() || !this.#storage.subscribe) {
      return;
    }
    let stop = () => {
    };
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, LONGEST_DELAY);
      const unsubscribe = this.#storage.subscribe?.(() => isHere() && resolve());
      stop = () => {
        clearTimeout(timer);
        unsubscribe?.();
      };
    });
    stop();
  }
  #put(holding) {
    const entry = write(holding);
    try {
      this.#storage.write(entry);
      this.#unwritten = null;
    } catch {
      this.#unwritten = { entry, beside: this.#storage.read() };
      this.#removeSpent(holding);
    }
    this.#tell();
  }
  /** Nobody shall begin with a session that has ended, or show a refresh token again that was spent. */
  #removeSpent({ session }) {
    const { beside = null, entry = null } = this.#unwritten ?? {};
    const old = read(beside).session;
    if (!old || session?.id === old.id && session.refreshToken === old.refreshToken) {
      return;
    }
    const kept = this.#unwritten;
    this.#unwritten = { entry, beside: null };
    try {
      this.#storage.write(null);
    } catch {
      this.#unwritten = kept;
    }
  }
  #look() {
    const state = publicState(this.now);
    const text = JSON.stringify(state);
    if (text === JSON.stringify(this.#state)) {
      return false;
    }
    this.#state = state;
    return true;
  }
  #tell() {
    this.#look();
    const text = JSON.stringify(this.#state);
    if (text === this.#told) {
      return;
    }
    this.#told = text;
    for (const listener of [...this.#listeners]) {
      try {
        listener(this.#state);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
};

// src/leaving.ts
var Leaving = class {
  #parts;
  constructor(parts) {
    this.#parts = parts;
  }
  /** In cookie mode: the logout of which the service doesn't know yet. Until it does the cookie means nobody. */
  get untold() {
    return this.#parts.lasting.now.untold;
  }
  async logOut(body) {
    const { api, service, holder } = this.#parts;
    const before = holder.session;
    if (!before && !service.usesCookie) {
      return;
    }
    this.#remember(body);
    try {
      await unwrap(api.POST("/api/v1/auth/logout", { body }));
      this.settled();
    } catch (error) {
      if (!isDefinite(error)) {
        throw error;
      }
      this.settled();
    } finally {
      holder.change((held) => held.session?.id === before?.id ? withoutSession(held) : held);
    }
  }
  /** End a session that was never held here, by its own token. */
  async dismiss({ access_token }) {
    const { service, holder } = this.#parts;
    const request = new Request(`${service.address}/api/v1/auth/logout`, {
      method: "POST",
      headers: { Authorization: `Bearer ${access_token}` }
    });
    if (!holder.session) {
      this.#remember({});
    }
    try {
      const { ok } = await service.send(request);
      if (ok) {
        this.settled();
      }
    } catch (error) {
      if (!(error instanceof ConnectionError)) {
        throw error;
      }
    }
  }
  /** The cookie is gone, or somebody's again. */
  settled() {
    this.#parts.lasting.change((held) => ({ ...held, untold: null }));
  }
  #remember(body) {
    if (this.#parts.service.usesCookie) {
      this.#parts.lasting.change((held) => ({ ...held, untold: body }));
    }
  }
};

// src/refresh.ts
var PAUSES = [100, 400, 1e3];
var TIMEOUT = 3e3;
var LAST_START = 7e3;
var SIGNED_OUT = "Nobody is signed in here.";
var Refresher = class {
  #service;
  #holder;
  #takeTurns;
  /** By the access token that was no good. */
  #inFlight = /* @__PURE__ */ new Map();
  constructor(service, holder, takeTurns) {
    this.#service = service;
    this.#holder = holder;
    this.#takeTurns = takeTurns;
  }
  /** The session, with an access token that is good for some time. */
  async fresh() {
    const held = this.#session();
    return Date.now() < held.renewAt ? held : await this.renew(held.accessToken);
  }
  /** Trade the tokens, unless somebody has since `stale` was read. Throws ProblemError when the session is over. */
  renew(stale) {
    const running = this.#inFlight.get(stale);
    if (running !== void 0) {
      return running;
    }
    const started = this.#takeTurns((hasWaited) => this.#renewNow(stale, hasWaited)).finally(
      () => this.#inFlight.delete(stale)
    );
    this.#inFlight.set(stale, started);
    return started;
  }
  /** Find a session of which the cookie alone knows. Null when there is none. */
  async adopt() {
    return this.#takeTurns(async () => {
      const held = this.#holder.session;
      if (held) {
        return held;
      }
      const tokens = await this.#trade(null).catch(whenDefinite(() => null));
      if (tokens) {
        this.#holder.change((holding) => ({ ...holding, session: sessionOf(tokens) }));
      }
      return this.#holder.session;
    });
  }
  #session() {
    const held = this.#holder.session;
    if (!held) {
      throw new NotReadyError(SIGNED_OUT);
    }
    return held;
  }
  async #renewNow(stale, hasWaited) {
    if (hasWaited) {
      await this.#holder.heard(() => this.#holder.session?.accessToken !== stale);
    }
    const held = this.#session();
    if (held.accessToken !== stale) {
      return held;
    }
    const tokens = await this.#trade(held.refreshToken).catch(whenDefinite((no) => this.#end(held, no)));
    return this.#keep(held, tokens);
  }
  /** Write what came, unless the session went on or ended meanwhile, where there are no locks. */
  #keep(before, tokens) {
    const fresh = sessionOf(tokens);
    this.#holder.change((held) => {
      const current = held.session;
      if (current === null || !isSame(current, before)) {
        return held;
      }
      if (fresh.id !== before.id) {
        return { ...withoutSession(held), session: fresh };
      }
      const { accessToken, renewAt: renewAt2 } = current;
      const isElevated = accessToken !== before.accessToken;
      return { ...held, session: isElevated ? { ...fresh, accessToken, renewAt: renewAt2 } : fresh };
    });
    const session = this.#session();
    if (session.id !== before.id) {
      throw new NotReadyError("Somebody else has signed in meanwhile. Look who, and begin again.");
    }
    return session;
  }
  #end(before, no) {
    const current = this.#holder.session;
    if (current && isSame(current, before)) {
      this.#holder.endSession();
    }
    throw no;
  }
  async #trade(refreshToken) {
    const began = Date.now();
    for (let tries = 0; ; tries += 1) {
      try {
        return await this.#ask(refreshToken);
      } catch (error) {
        const pause = PAUSES[tries];
        const isTooLate = pause === void 0 || Date.now() + pause - began > LAST_START;
        if (!(error instanceof ConnectionError) || isTooLate) {
          throw error;
        }
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  }
  async #ask(refreshToken) {
    const giveUp = new AbortController();
    const timer = setTimeout(() => giveUp.abort(), TIMEOUT);
    const request = new Request(`${this.#service.address}/api/v1/auth/token/refresh`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(refreshToken === null ? {} : { refresh_token: refreshToken }),
      signal: giveUp.signal
    });
    try {
      return await tokensOf(request, this.#service);
    } finally {
      clearTimeout(timer);
    }
  }
};
async function tokensOf(request, service) {
  let response;
  let body;
  try {
    response = await service.send(request);
    body = await response.json();
  } catch (error) {
    throw error instanceof ConnectionError ? error : new ConnectionError("The answer of a refresh got lost.", { cause: error });
  }
  if (!response.ok) {
    throw refusal(body, response);
  }
  if (!isTokens(body)) {
    throw new ConnectionError("The answer isn't the service's.", { status: response.status });
  }
  return body;
}
function isTokens(body) {
  return typeof body === "object" && body !== null && "status" in body && body.status === "authenticated";
}
function whenDefinite(then) {
  return (error) => {
    if (isDefinite(error)) {
      return then(error);
    }
    throw error;
  };
}
function isSame(one, other) {
  return one.id === other.id && one.refreshToken === other.refreshToken;
}

// src/service.ts
function newService(options) {
  const base = new URL(options.baseUrl);
  const usesCookie = options.transport === "cookie";
  const fetch = options.fetch ?? ((request) => globalThis.fetch(request));
  const prefix = base.pathname.replace(/\/+$/, "");
  const pathOf = (url) => {
    const { origin: origin2, pathname } = new URL(url);
    const isOurs = origin2 === base.origin && pathname.startsWith(`${prefix}/`);
    return isOurs ? pathname.slice(prefix.length) : null;
  };
  const send = async (request) => {
    const dressed = pathOf(request.url) === null ? request : forService(request, usesCookie);
    try {
      return await fetch(dressed);
    } catch (error) {
      if (request.signal.aborted) {
        throw error;
      }
      throw new ConnectionError("No answer came.", { cause: error });
    }
  };
  const { origin } = base;
  return { address: `${origin}${prefix}`, origin, usesCookie, send, pathOf };
}
function forService(request, usesCookie) {
  const dressed = new Request(request, { redirect: "error", ...usesCookie && { credentials: "include" } });
  if (usesCookie) {
    dressed.headers.set("X-Token-Transport", "cookie");
  }
  return dressed;
}

// src/step-up.ts
var StepUps = class {
  #holder;
  #ask;
  #running = null;
  constructor(holder, ask) {
    this.#holder = holder;
    this.#ask = ask;
  }
  /** The session with the token of a fresh proof; null when there is none. */
  async proveFor(refused, wanted) {
    if (!this.#ask) {
      return null;
    }
    this.#running ??= this.#ask(challengeOf(wanted)).finally(() => {
      this.#running = null;
    });
    const isProved = await this.#running;
    const session = this.#holder.session;
    const isElevated = session?.id === refused.id && session.accessToken !== refused.accessToken;
    return isProved && isElevated ? session : null;
  }
};
function challengeOf({ parameters }) {
  const maxAge = Number(parameters["max_age"] ?? Number.NaN);
  return { acrValues: parameters["acr_values"] ?? null, maxAge: Number.isInteger(maxAge) ? maxAge : null };
}

// src/storage.ts
function memoryStorage() {
  let kept = null;
  const listeners = /* @__PURE__ */ new Set();
  return {
    forgets: true,
    read: () => kept,
    write(entry) {
      kept = entry;
      for (const listener of [...listeners]) {
        listener();
      }
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    }
  };
}
function browserStorage(key = "otp-auth") {
  const area = globalThis.localStorage;
  return {
    read: () => area.getItem(key),
    write(entry) {
      if (entry === null) {
        area.removeItem(key);
      } else {
        area.setItem(key, entry);
      }
    },
    subscribe(listener) {
      const heard = (event) => {
        if (event.storageArea === area && (event.key === key || event.key === null)) {
          listener();
        }
      };
      globalThis.addEventListener("storage", heard);
      return () => globalThis.removeEventListener("storage", heard);
    }
  };
}
function defaultStorage(key) {
  try {
    const probe = `${key}?`;
    globalThis.localStorage.setItem(probe, "");
    globalThis.localStorage.removeItem(probe);
    return browserStorage(key);
  } catch {
    return memoryStorage();
  }
}

// src/turns.ts
var PATIENCE = 12e3;
var TAKEN = /* @__PURE__ */ Symbol("taken");
function newTurns(locks, name, patience = PATIENCE) {
  return async (work) => {
    const atOnce = await locks.request(
      name,
      { ifAvailable: true },
      async (lock) => lock === null ? TAKEN : await work(false)
    );
    return atOnce === TAKEN ? await waitAndWork(locks, name, patience, work) : atOnce;
  };
}
async function waitAndWork(locks, name, patience, work) {
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), patience);
  const begin = () => {
    clearTimeout(timer);
    return work(true);
  };
  try {
    return await locks.request(name, { signal: giveUp.signal }, begin);
  } catch (error) {
    if (!giveUp.signal.aborted) {
      throw error;
    }
    return await work(true);
  } finally {
    clearTimeout(timer);
  }
}
function defaultLocks() {
  return globalThis.navigator?.locks ?? pageLocks();
}
function pageLocks() {
  const lastOf = /* @__PURE__ */ new Map();
  return {
    async request(name, { signal, ifAvailable = false }, callback) {
      const before = lastOf.get(name);
      if (ifAvailable && before !== void 0) {
        return await callback(null);
      }
      let release = () => {
      };
      const mine = new Promise((resolve) => {
        release = resolve;
      });
      const last = (before ?? Promise.resolve()).then(() => mine);
      lastOf.set(name, last);
      try {
        await orAborted(before, signal);
        return await callback({ name });
      } finally {
        release();
        if (lastOf.get(name) === last) {
          lastOf.delete(name);
        }
      }
    }
  };
}
function orAborted(waiting, signal) {
  return new Promise((resolve, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
    void (waiting ?? Promise.resolve()).then(resolve);
  });
}

// src/client.ts
function createOtpAuth(options) {
  const service = newService(options);
  const key = `otp-auth ${service.address}`;
  const storage = options.storage ?? defaultStorage(key);
  const holder = new Holder(storage);
  const takeTurns = newTurns(options.locks ?? defaultLocks(), key);
  const refresher = new Refresher(service, holder, takeTurns);
  const authorized = new Authorized(service, holder, refresher, new StepUps(holder, options.onStepUp));
  const api = createClient({ baseUrl: service.address, fetch: (request) => authorized.send(request) });
  const forgets = service.usesCookie && storage.forgets;
  const lasting = forgets ? new Holder(defaultStorage(`${key} logout`)) : holder;
  const leaving = new Leaving({ api, service, holder, lasting });
  const parts = { service, storage, holder, refresher, leaving };
  const allowed = /* @__PURE__ */ new Set([service.origin, ...(options.apiOrigins ?? []).map((url) => new URL(url).origin)]);
  const ceremonies = newCeremonies({ api, holder, leaving, takeTurns });
  return {
    get state() {
      return holder.state;
    },
    onChange: (listener) => holder.onChange(listener),
    close() {
      holder.close();
      lasting.close();
    },
    restore: () => restore(parts, ceremonies.getChallenge),
    api,
    async fetch(input, init) {
      const request = new Request(input, init);
      refuseOthers(allowed, request.url);
      return await authorized.sendWithAccess(request);
    },
    accessToken: async () => (await refresher.fresh()).accessToken,
    ...ceremonies,
    ...newAccount(api, holder),
    async refreshTokens() {
      const { accessToken } = await refresher.fresh();
      const { id, user } = await refresher.renew(accessToken);
      return { status: "authenticated", session_id: id, user };
    },
    logOut: (body = {}) => leaving.logOut(body),
    forgetDevice: () => holder.change((held) => ({ ...held, deviceToken: null }))
  };
}
async function restore(parts, look) {
  const { holder, service, storage, refresher, leaving } = parts;
  if (leaving.untold) {
    await leaving.logOut(leaving.untold).catch(unlessOver);
  } else if (holder.session) {
    await refresher.fresh().catch(unlessOver);
  } else if (service.usesCookie && storage.forgets) {
    await refresher.adopt().catch(unlessOver);
  }
  if (holder.pending) {
    await look().catch(unlessOver);
  }
  return holder.state;
}
function unlessOver(error) {
  if (!(error instanceof ConnectionError || error instanceof ProblemError)) {
    throw error;
  }
}
function refuseOthers(allowed, url) {
  const { origin } = new URL(url);
  if (!allowed.has(origin)) {
    throw new TypeError(`${origin} isn't among apiOrigins: it doesn't get the access token.`);
  }
}
export {
  ConnectionError,
  NotReadyError,
  ProblemError,
  browserStorage,
  createOtpAuth,
  isProblem,
  memoryStorage
};
