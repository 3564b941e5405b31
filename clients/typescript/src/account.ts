/** The person behind the session: their account, factors, sessions, devices. */

import { unwrap } from "./answers.js";
import type { Holder } from "./holder.js";
import type { User } from "./openapi.js";
import { NOTHING } from "./record.js";
import type { Api, OtpAuth, Page } from "./types.js";

type Account = Pick<
  OtpAuth,
  | "getMe"
  | "changeMe"
  | "exportMe"
  | "deleteMe"
  | "changePassword"
  | "cancelPasswordReset"
  | "listFactors"
  | "enrolTotp"
  | "confirmTotp"
  | "removeTotp"
  | "renewRecoveryCodes"
  | "listSessions"
  | "endSession"
  | "endOtherSessions"
  | "listDevices"
  | "endDevice"
  | "listEvents"
>;

const query = ({ cursor }: Page): { params: { query: { cursor?: string } } } => ({
  params: { query: cursor === undefined ? {} : { cursor } },
});

export function newAccount(api: Api, holder: Holder): Account {
  const know = (user: User): User => {
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

    changePassword: async (body) => void (await unwrap(api.POST("/api/v1/me/password", { body }))),
    cancelPasswordReset: async () => void (await unwrap(api.DELETE("/api/v1/me/password-reset"))),

    listFactors: async () => (await unwrap(api.GET("/api/v1/me/factors"))).items,
    enrolTotp: async () => await unwrap(api.POST("/api/v1/me/factors/totp")),
    confirmTotp: async (code) =>
      await unwrap(api.POST("/api/v1/me/factors/totp/confirm", { body: { code } })),
    removeTotp: async () => void (await unwrap(api.DELETE("/api/v1/me/factors/totp"))),
    renewRecoveryCodes: async () => (await unwrap(api.POST("/api/v1/me/recovery-codes"))).recovery_codes,

    listSessions: async (page = {}) => await unwrap(api.GET("/api/v1/me/sessions", query(page))),
    endSession: async (session_id) =>
      void (await unwrap(
        api.DELETE("/api/v1/me/sessions/{session_id}", {
          params: { path: { session_id: segment(session_id) } },
        }),
      )),
    endOtherSessions: async () => void (await unwrap(api.DELETE("/api/v1/me/sessions"))),
    listDevices: async (page = {}) => await unwrap(api.GET("/api/v1/me/devices", query(page))),
    endDevice: async (device_id) =>
      void (await unwrap(
        api.DELETE("/api/v1/me/devices/{device_id}", { params: { path: { device_id: segment(device_id) } } }),
      )),
    listEvents: async (page = {}) => await unwrap(api.GET("/api/v1/me/events", query(page))),
  };
}

/** Addresses swallow these: what is meant for one session would go to another route. */
function segment(id: string): string {
  if (/^(\.|%2e){0,2}$/i.test(id)) {
    throw new TypeError(`"${id}" names nothing.`);
  }
  return id;
}
