"""Can a conclusion outlive what it follows from? Plan it, and look at what still follows."""

from unteach.knowledge import KnowledgeBase, deduce, families, outlive, plan

kb = KnowledgeBase(
    facts=[("father", "ann", "bob"), ("father", "bob", "carl"), ("son", "carl", "bob")],
    rules=[
        "grandfather(X, Z) :- father(X, Y), father(Y, Z)",
        "father(C, P:male) :- son(P, C)",
        "child(P, C) :- father(C, P)",
        "father(C, P:male) :- child(P, C)",
    ],
    background=[("male", "bob"), ("male", "carl")],
)
premise, conclusion = ("father", "bob", "carl"), ("grandfather", "ann", "carl")

# to forget the premise alone is not enough: another fact entails it
left = [fact for fact in kb.facts if fact != premise]
print(f"forget {premise} alone, and it still follows:")
print(deduce(kb, left).proof(premise))

# the conclusion can be kept if it is stored as a fact of its own
found = plan(kb, forget=[premise], preserve=[conclusion])
print(f"\nremove {found.remove}, store {found.promote}; {found.optimal=}")
after = deduce(kb, [*(f for f in kb.facts if f not in found.remove), *found.promote])
print(
    f"the premise follows: {after.deducible(premise)}; "
    f"the conclusion holds: {after.deducible(conclusion)}"
)

# a conclusion that says the same as its premise cannot
impossible = plan(kb, forget=[premise], preserve=[("child", "carl", "bob")])
print(f"\nkeep that carl's child is bob? {impossible.feasible}, because:")
print(impossible.witness.proof)

# the map of an invented family
table = outlive(families(200, seed=0))
print(
    "\nof",
    len(table),
    "conclusions:",
    {v: table["verdict"].count(v) for v in ("base-only", "promotion", "impossible")},
)
