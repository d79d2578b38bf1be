// Shows /openapi.json with Swagger UI, which asks nobody but this service for anything.

/** What can go wrong is nearly the same everywhere: each error is a line, which opens to the whole reply. */
const foldErrors = ({ React }) => {
  const h = React.createElement;
  const folded = (Response) => (props) => {
    const [isOpen, setOpen] = React.useState(false);
    if (!/^[45]/.test(props.code)) return h(Response, props);
    const line = h("button", { type: "button", className: "error-line", "aria-expanded": isOpen, onClick: () => setOpen(!isOpen) }, props.response.get("description"));
    return h(
      React.Fragment,
      null,
      h("tr", { className: "response" }, h("td", { className: "response-col_status" }, props.code), h("td", { className: "response-col_description", colSpan: 2 }, line)),
      isOpen && h(Response, props),
    );
  };
  return { wrapComponents: { response: folded } };
};

window.addEventListener("load", () => {
  SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#docs",
    deepLinking: true,
    docExpansion: "list",
    validatorUrl: "none",
    persistAuthorization: false,
    tryItOutEnabled: false,
    plugins: [foldErrors],
  });
});
