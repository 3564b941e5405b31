/** Sign-out, and the end of sessions that came when nobody waited for them any more. */

import { ConnectionError } from "./errors.js";
import type { Tokens } from "./openapi.js";
import type { Service } from "./service.js";

/** End a session that was never held here, by its own token. Where that fails nobody has its tokens all the same. */
export async function dismiss(service: Service, { access_token }: Tokens): Promise<void> {
  const request = new Request(`${service.address}/api/v1/auth/logout`, {
    method: "POST",
    headers: { Authorization: `Bearer ${access_token}` },
  });
  try {
    await service.send(request);
  } catch (error) {
    if (!(error instanceof ConnectionError)) {
      throw error;
    }
  }
}
