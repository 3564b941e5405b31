// What no page can send: "Authorize" asks only for what a person can paste.
const NOT_FROM_A_PAGE = ["RefreshCookie", "SinchSignature"];

const canBeShown = (wanted) => !NOT_FROM_A_PAGE.some((scheme) => scheme in wanted);

function withoutThem(received) {
  const document = structuredClone(received);
  const schemes = Object.entries(document.components.securitySchemes);
  const shown = schemes.filter(([scheme]) => !NOT_FROM_A_PAGE.includes(scheme));
  document.components.securitySchemes = Object.fromEntries(shown);
  for (const operation of Object.values(document.paths).flatMap(Object.values)) {
    if (operation.security) operation.security = operation.security.filter(canBeShown);
  }
  return document;
}

// Each field of "Authorize" asks for the focus, and the last one gets it. The first token of the walk shall.
function focusFirstField(asked) {
  if (asked) requestAnimationFrame(() => document.querySelector(".auth-container input")?.focus());
}

const forPeople = () => ({
  statePlugins: {
    spec: {wrapActions: {updateJsonSpec: (update) => (received) => update(withoutThem(received))}},
    auth: {
      wrapActions: {
        showDefinitions: (show) => (asked) => {
          const shown = show(asked);
          focusFirstField(asked);
          return shown;
        },
      },
    },
  },
});

SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#docs",
  presets: [SwaggerUIBundle.presets.apis],
  plugins: [forPeople],
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayOperationId: true,
  displayRequestDuration: true,
  persistAuthorization: true,
  tryItOutEnabled: true,
});
