// How large a directory is. The cost table is held at the small one by `npm test`; `npm run budgets` names another by the environment, and
// `npm run bench` takes several at once.

const number = (name, usual) => {
  const value = Number(process.env[name] || usual);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${name}=${process.env[name]} is no number`);
  return value;
};

/** A directory of so many users, whose largest group has so many members: the first ones. */
export const scaleOf = (users, members) => ({
  users,
  members,
  /** Members of the first groups; the others are there so that finding one by a scan shows. */
  sizes: [...new Set([10, 1_000, members])],
  emptyGroups: Math.ceil(users / 20),
  /** Other tenants, which nobody pays for: so many before this one in every index, and as many after it. */
  others: { each: 2, users: Math.ceil(users / 20), sizes: [10, 100] },
  /** A directory that takes so long to make that it is kept. */
  kept: users > 50_000,
});

export const SMALL = { users: 6_000, members: 5_000 };
export const USERS = number("ROLLCALL_BUDGET_USERS", SMALL.users);
export const MEMBERS = number("ROLLCALL_BUDGET_MEMBERS", SMALL.members);
export const SCALE = scaleOf(USERS, MEMBERS);
export const { sizes: SIZES, emptyGroups: EMPTY_GROUPS } = SCALE;
/** What the tests pick people by: members of the largest group alone above 1,000, and enough users at the end in no group. */
export const LEAST = { members: 3_000, beside: 1_000 };
/** In no group: those from here on, at the directory's end. */
export const ALONE = USERS - 500;
