"""Uses what openapi-python-client made of the OpenAPI document, given as the only argument, in the folder beside this program.

Nothing is sent: of each operation the request is made of the document's example, and the document's example of the reply is read.
"""

import importlib
import inspect
import json
import re
import sys
from datetime import datetime

import httpx
from rollcall_client import AuthenticatedClient
from rollcall_client.api.scim import create_user, list_users
from rollcall_client.api.tenants import create_tenant
from rollcall_client.models import TenantCreate, UserRequest, UserRequestSchemasItem

with open(sys.argv[1], encoding="utf-8") as file:
    document = json.load(file)
client = AuthenticatedClient(base_url="https://scim.example.com", token="a token")


def snake(text):
    return re.sub(r"(?<=[a-z])(?=[A-Z])|[ -]", "_", text).lower()


# Lines of JSON: the generator makes nothing of them, and says so.
LINES = "application/x-ndjson"


def takes_lines(operation):
    return LINES in operation.get("requestBody", {}).get("content", {})


def example(content):
    if LINES in (content or {}):
        return None
    return next(iter((content or {}).values()), {}).get("example")


def same(value):
    """The value with its times in one notation."""
    if isinstance(value, dict):
        return {name: same(value) for name, value in value.items()}
    if isinstance(value, list):
        return [same(value) for value in value]
    if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value):
        return datetime.fromisoformat(value)
    return value


def try_operation(path, method, operation):
    module = importlib.import_module(f"rollcall_client.api.{snake(operation['tags'][0])}.{snake(operation['operationId'])}")
    parameters = inspect.signature(module._get_kwargs).parameters
    given = {name: "x" for name, parameter in parameters.items() if parameter.default is parameter.empty and name != "body"}
    body = example(operation.get("requestBody", {}).get("content"))
    if body is not None:
        kind = parameters["body"].annotation
        kind = kind if isinstance(kind, type) else kind.__args__[0]
        given["body"] = kind.from_dict(body)
    request = module._get_kwargs(**given)
    assert request["method"] == method, request
    assert request["url"] == re.sub(r"\{[^}]*\}", "x", path), request
    assert request.get("json") == body, request
    for name in ("sync", "asyncio"):
        assert callable(getattr(module, f"{name}_detailed"))
    for status, reply in operation["responses"].items():
        shown = example(reply.get("content"))
        if shown is not None:
            read = module._parse_response(client=client, response=httpx.Response(int(status), json=shown))
            assert same(read.to_dict()) == same(shown), (operation["operationId"], status, read)


tried = 0
for path, methods in document["paths"].items():
    for method, operation in methods.items():
        if takes_lines(operation):
            continue
        try_operation(path, method, operation)
        tried += 1

# By hand, as an integrator does.
assert create_tenant._get_kwargs(body=TenantCreate(name="Example"))["json"] == {"name": "Example"}
core = UserRequestSchemasItem("urn:ietf:params:scim:schemas:core:2.0:User")
ada = UserRequest(schemas=[core], user_name="ada@example.com")
made = create_user._get_kwargs("example", body=ada)
assert made["headers"]["Content-Type"] == "application/scim+json", made
assert made["json"]["userName"] == "ada@example.com", made
assert list_users._get_kwargs("example", filter_='userName eq "ada"')["params"] == {"filter": 'userName eq "ada"'}
for mistake in ({}, {"name": "Example", "profile": "lax"}):
    try:
        TenantCreate(**mistake)
    except TypeError:
        continue
    raise AssertionError(mistake)
print(f"{tried} operations")
