// Shows /openapi.json with Swagger UI, which asks nobody but this service for anything.
window.addEventListener("load", () => {
  SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#docs",
    deepLinking: true,
    docExpansion: "list",
    validatorUrl: "none",
    persistAuthorization: false,
    tryItOutEnabled: false,
  });
});
