// What a customer's administrator does in each identity provider, step by step: the pages of docs/providers, which are bundled as they stand.
// The fields and their values come from the service, which knows the address; what the pages say of them is for those who read them elsewhere.
import entra from "../../../docs/providers/entra.md";
import generic from "../../../docs/providers/generic.md";
import google from "../../../docs/providers/google.md";
import jumpcloud from "../../../docs/providers/jumpcloud.md";
import okta from "../../../docs/providers/okta.md";
import onelogin from "../../../docs/providers/onelogin.md";
import ping from "../../../docs/providers/ping.md";
import type { Schemas } from "../api";

type Key = keyof Schemas["EndpointInfo"]["instructions"];

/** A page: its title, what stands below it, and the lines of the lists under its headings. */
export interface Guide {
  key: Key;
  name: string;
  about: string;
  /** Before the fields are filled in. */
  before: string[];
  /** After that. */
  after: string[];
  /** What to expect. */
  known: string[];
  /** What to do about a refusal. */
  refused: string[];
}

function guide(key: Key, page: string): Guide {
  const [head = "", ...sections] = page.split(/^## /m);
  const [title = "", ...about] = head.trim().split("\n");
  const under = (heading: string) => {
    const section = sections.find((text) => text.startsWith(`${heading}\n`)) ?? "";
    return [...section.matchAll(/^(?:\d+\.|-) (.*)$/gm)].map(([, item]) => item!);
  };
  return {
    key,
    name: title.replace("# ", ""),
    about: about.join(" ").trim(),
    before: under("Open the form"),
    after: under("Switch it on"),
    known: under("Good to know"),
    refused: under("When it is refused"),
  };
}

export const GUIDES: Guide[] = [
  guide("entra", entra),
  guide("okta", okta),
  guide("onelogin", onelogin),
  guide("jumpcloud", jumpcloud),
  guide("google", google),
  guide("ping", ping),
  guide("generic", generic),
];
