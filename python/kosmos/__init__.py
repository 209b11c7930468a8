"""Reads runs of kosmos: the streams of a run's folder as pyarrow datasets, Hugging Face datasets, or rows.

    run = kosmos.open("run/sample")
    run.stream("text").dataset().to_table()      # pyarrow
    run.stream("images.pass0/images").to_datasets()  # Hugging Face, images as PIL images
    DataLoader(run.stream("text").to_torch())    # PyTorch, resumable

Which files a stream has is asked of the command `kosmos`, so that this package knows nothing of a folder's format.
Needs pyarrow; `to_datasets` needs datasets.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator

__all__ = ["KosmosError", "Run", "Stream", "open"]

#: Rows that are read at a time.
BATCH_ROWS = 1024


class KosmosError(Exception):
    """What the command `kosmos` said."""


def open(directory: str | Path, program: str | Path | None = None) -> Run:
    """Opens a run by its folder, or by the prefix of an object store (`s3://BUCKET/PREFIX`).

    `program` is the executable; by default the one beside this Python's, or the first in `PATH`.
    """
    return Run(str(directory), _program(program))


class Run:
    """A run."""

    def __init__(self, directory: str, program: str):
        self.directory = directory
        self._program = program

    def stream(self, name: str) -> Stream:
        """Returns a stream, `STAGE/STREAM`; `STAGE` alone is its results, where they are one stream."""
        stage, _, stream = name.partition("/")
        command = [self._program, "parts", self.directory, stage, stream or "--results"]
        result = subprocess.run(command, capture_output=True, text=True)
        if result.returncode != 0:
            raise KosmosError(result.stderr.strip())
        return Stream(name, result.stdout.splitlines())

    def __repr__(self) -> str:
        return f"kosmos.open({self.directory!r})"


class Stream:
    """The rows of a stream, in the run's order.

    Iterating yields a dictionary per row. In a DataLoader with several workers, and with `rank` and `world` of a
    distributed job, each reads its own files: file n belongs to reader n modulo their number. `state_dict` and
    `load_state_dict` go on behind the last row that this process yielded.
    """

    def __init__(self, name: str, files: list[str]):
        self.name = name
        self.files = files
        self.columns: list[str] | None = None
        self.rank, self.world = 0, 1
        self._position = {"file": 0, "row": 0}

    def select(self, *columns: str) -> Stream:
        """Reads these columns alone."""
        self.columns = list(columns)
        return self

    def shard(self, rank: int, world: int) -> Stream:
        """Reads the files of one of `world` processes alone."""
        if not 0 <= rank < world:
            raise ValueError(f"rank {rank} of {world}")
        self.rank, self.world = rank, world
        return self

    def dataset(self) -> Any:
        """Returns a `pyarrow.dataset.Dataset` of all files."""
        import pyarrow.dataset

        if not self.files:
            raise KosmosError(f"{self.name} has no rows")
        if "://" not in self.files[0]:
            return pyarrow.dataset.dataset(self.files, format="parquet")
        import pyarrow.fs

        filesystem, _ = pyarrow.fs.FileSystem.from_uri(self.files[0])
        paths = [path.partition("://")[2] for path in self.files]
        return pyarrow.dataset.dataset(paths, format="parquet", filesystem=filesystem)

    def to_datasets(self, **options: Any) -> Any:
        """Returns a Hugging Face dataset; `streaming=True` and other options go to `datasets.load_dataset`."""
        import datasets

        return datasets.load_dataset("parquet", data_files=self.files, split="train", **options)

    def to_torch(self) -> Any:
        """Returns a `torch.utils.data.IterableDataset` of the rows, with `state_dict` and `load_state_dict`."""
        import torch.utils.data

        stream = self

        class Rows(torch.utils.data.IterableDataset):
            def __iter__(self) -> Iterator[dict[str, Any]]:
                return iter(stream)

            def state_dict(self) -> dict[str, int]:
                return stream.state_dict()

            def load_state_dict(self, state: dict[str, int]) -> None:
                stream.load_state_dict(state)

        return Rows()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        import pyarrow.dataset

        own = self._own_files()
        while self._position["file"] < len(own):
            path, skipped = own[self._position["file"]], self._position["row"]
            fragment = self._with([path]).dataset()
            for batch in fragment.to_batches(columns=self.columns, batch_size=BATCH_ROWS):
                if skipped >= batch.num_rows:
                    skipped -= batch.num_rows
                    continue
                for row in batch.slice(skipped).to_pylist():
                    self._position["row"] += 1
                    yield row
                skipped = 0
            self._position = {"file": self._position["file"] + 1, "row": 0}
        self._position = {"file": 0, "row": 0}

    def state_dict(self) -> dict[str, int]:
        """Returns where this process is: which of its files, and how many rows of it were yielded."""
        return dict(self._position)

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Goes on where `state_dict` was called, with the same files, `rank`, `world` and workers."""
        self._position = {"file": int(state["file"]), "row": int(state["row"])}

    def __len__(self) -> int:
        return self.dataset().count_rows()

    def __repr__(self) -> str:
        return f"<kosmos stream {self.name}: {len(self.files)} files>"

    def _with(self, files: list[str]) -> Stream:
        return Stream(self.name, files)

    def _own_files(self) -> list[str]:
        index, count = self.rank, self.world
        torch = sys.modules.get("torch")
        worker = torch.utils.data.get_worker_info() if torch else None
        if worker is not None:
            index, count = index * worker.num_workers + worker.id, count * worker.num_workers
        return self.files[index::count]


def _program(program: str | Path | None) -> str:
    if program is not None:
        return str(program)
    beside = Path(sys.executable).with_name("kosmos")
    found = str(beside) if beside.exists() else shutil.which("kosmos")
    if found is None:
        raise KosmosError("the command kosmos is neither beside this Python nor in PATH; name it with `program`")
    return found
