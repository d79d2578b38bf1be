// Writes to a directory as an LDAP client does, with just as much of the protocol as that takes (RFC 4511): a bind, and one attribute after the other.
import { connect } from "node:net";

/** Who may write everything (see tests/fixtures/ldap/slapd.conf). */
const ADMIN = { dn: "cn=admin,dc=example,dc=com", password: "admin-password" };
const VERSION_3 = Buffer.from([0x02, 0x01, 3]);
const REPLACE = Buffer.from([0x0a, 0x01, 2]);

/** Gives each of the entries, `[dn, value]`, one value of an attribute instead of what it has. */
export async function replaceEach(port, attribute, entries) {
  const socket = connect(port, "127.0.0.1");
  const answers = socket[Symbol.asyncIterator]();
  try {
    await ask(socket, answers, tlv(0x60, VERSION_3, octets(ADMIN.dn), tlv(0x80, Buffer.from(ADMIN.password))));
    for (const [dn, value] of entries) {
      const change = tlv(0x30, REPLACE, tlv(0x30, octets(attribute), tlv(0x31, octets(value))));
      await ask(socket, answers, tlv(0x66, octets(dn), tlv(0x30, change)));
    }
  } finally {
    socket.destroy();
  }
}

/** Sends a request, and expects success. The server answers one with a few bytes, which come at once. */
async function ask(socket, answers, operation) {
  socket.write(tlv(0x30, Buffer.from([0x02, 0x01, 1]), operation));
  const { value = Buffer.alloc(0) } = await answers.next();
  // The result's code is the first enumeration in the answer.
  const at = value.indexOf(Buffer.from([0x0a, 0x01]));
  if (at < 0 || value[at + 2] !== 0) throw new Error(`the directory does not write: ${value.toString("latin1")}`);
}

function tlv(tag, ...contents) {
  const content = Buffer.concat(contents);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(content.length);
  return Buffer.concat([Buffer.from([tag, 0x82]), length, content]);
}

const octets = (text) => tlv(0x04, Buffer.from(text));
