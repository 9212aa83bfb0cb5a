"""What proves to a stranger that the journal is what it was: signed checkpoints, anchors elsewhere, and who examines them.

`statement` has the texts that are signed, `keys` the key's file, `notary` what is done again and again, `anchors` the ways out
of this machine, `examine` what `callserver verify` looks at, and `verify_journal` the same for somebody who trusts none of this.
docs/evidence-chain.md tells what it shows, and what remains possible for whom.
"""
