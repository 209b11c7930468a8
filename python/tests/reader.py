"""Reads a finished run: `reader.py DIR PROGRAM`, with the rows that the stage `text` keeps and drops."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import kosmos  # noqa: E402

directory, program, kept, dropped = sys.argv[1:]
run = kosmos.open(directory, program)


def ids(stream):
    return [row["id"] for row in stream]


whole = ids(run.stream("text"))
assert len(whole) == len(run.stream("text")) == int(kept), len(whole)
assert run.stream("text").dataset().to_table(columns=["id"])["id"].to_pylist() == whole
assert len(run.stream("text/dropped")) == int(dropped)
assert list(next(iter(run.stream("text").select("id", "text")))) == ["id", "text"]

# Every place at which a job can be stopped.
for stopped in range(len(whole) + 1):
    stream = run.stream("text")
    rows = iter(stream)
    before = [next(rows)["id"] for _ in range(stopped)]
    resumed = run.stream("text")
    resumed.load_state_dict(stream.state_dict())
    assert before + ids(resumed) == whole, stopped

# Each row is read by one rank.
for world in (1, 2, 5):
    by_rank = [ids(run.stream("text").shard(rank, world)) for rank in range(world)]
    assert sorted(sum(by_rank, [])) == sorted(whole), world

for name in ("texts", "text/texts"):
    try:
        run.stream(name)
    except kosmos.KosmosError as error:
        assert "no stage" in str(error) or "no stream" in str(error), error
    else:
        raise AssertionError(name)
