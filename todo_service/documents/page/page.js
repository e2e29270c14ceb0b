// Swagger UI on this service's own document. Nothing is loaded from elsewhere, and the token
// is kept only as long as the page is open.

// An answer that brings a token (register, log in, another password) also sets it.
function useToken(answer) {
  const token = answer.ok && answer.obj?.access_token;
  if (token) ui.preauthorizeApiKey("token", token);
  return answer;
}

const ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#page",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  persistAuthorization: false,
  responseInterceptor: useToken,
  tryItOutEnabled: true,
  validatorUrl: null,
});
