// Bodies of SCIM requests, as short as they can be.
export const USER = "urn:ietf:params:scim:schemas:core:2.0:User";
export const ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
export const GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group";
export const PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

export const user = (userName, more = {}) => ({ schemas: [USER], userName, ...more });
export const group = (displayName, members = [], more = {}) => ({ schemas: [GROUP], displayName, members: members.map((value) => ({ value })), ...more });
export const patch = (...Operations) => ({ schemas: [PATCH], Operations });
export const rename = (displayName) => patch({ op: "replace", path: "displayName", value: displayName });
export const addMembers = (ids) => patch({ op: "add", path: "members", value: ids.map((value) => ({ value })) });
export const removeMembers = (ids) => patch(...ids.map((id) => ({ op: "remove", path: `members[value eq "${id}"]` })));
