// What a customer's administrator does in each identity provider, step by step. The fields and their values come from the service.
import type { Schemas } from "../api";

type Instructions = Schemas["EndpointInfo"]["instructions"];

export interface Guide {
  key: keyof Instructions;
  name: string;
  /** Before the fields are filled in. */
  before: string[];
  /** After that. */
  after: string[];
}

export const GUIDES: Guide[] = [
  {
    key: "entra",
    name: "Microsoft Entra ID",
    before: ["In the Entra admin center open Enterprise applications, and the application of this product. Make one without a template where there is none.", "Open Provisioning, and choose to connect your application."],
    after: ["Press Test Connection, then save.", "Under Users and groups assign who is to come.", "Start provisioning. Entra ID sends changes every 40 minutes; Provision on demand sends one person at once."],
  },
  {
    key: "okta",
    name: "Okta",
    before: ["In the Okta admin console open Applications, and the application of this product.", "Under General, switch on SCIM provisioning. Open the tab Provisioning, Integration, and press Edit.", "Tick Push New Users, Push Profile Updates and Push Groups."],
    after: ["Press Test Connector Configuration, then save.", "Under Provisioning, To App, switch on Create Users, Update User Attributes and Deactivate Users.", "Under Assignments assign who is to come."],
  },
  {
    key: "onelogin",
    name: "OneLogin",
    before: ["In OneLogin open Applications, and the application of this product. SCIM Provisioner with SAML (SCIM v2) does where there is none.", "Open Configuration."],
    after: ["Press Enable beside API Status.", "Under Provisioning tick Enable provisioning, then save.", "Under Users, or by a role, give the application to who is to come."],
  },
  {
    key: "jumpcloud",
    name: "JumpCloud",
    before: ["In JumpCloud open SSO Applications, and the application of this product.", "Open Identity Management."],
    after: ["Press Test Connection, then Activate, then save.", "Under User Groups choose who is to come."],
  },
  {
    key: "google",
    name: "Google Workspace",
    before: ["In the Google Admin console open Apps, Web and mobile apps, and the application of this product.", "Under Auto-provisioning press Configure."],
    after: ["Go through the mapping of attributes and the scope, then finish.", "Switch auto-provisioning on."],
  },
  {
    key: "ping",
    name: "PingOne",
    before: ["In PingOne open Integrations, Provisioning, and add a new connection of the type Identity Store.", "Choose SCIM Outbound."],
    after: ["Press Test Connection, then save, and switch the connection on.", "Add a rule from PingOne's directory to the connection, with who is to come."],
  },
  {
    key: "generic",
    name: "Another provider",
    before: ["Open the settings of provisioning by SCIM 2.0 in your provider."],
    after: ["Test the connection, then choose who is to come, and switch provisioning on."],
  },
];
