"""A PostgreSQL server of the test's own: in a temporary folder, on a socket there, gone afterwards."""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

_KINDS = {
    "string": "text",
    "bool": "boolean",
    "int64": "bigint",
    "double": "double precision",
    "date32[day]": "date",
    "timestamp[us]": "timestamp",
    "timestamp[us, tz=UTC]": "timestamptz",
}


def programs() -> str | None:
    """Return the folder of the newest server's programs, or None."""
    found = shutil.which("initdb")
    if found:
        return str(Path(found).parent)
    folders = [Path(path).parent for path in glob.glob("/usr/lib/postgresql/*/bin/initdb")]
    return str(max(folders, key=lambda folder: float(folder.parent.name))) if folders else None


@contextmanager
def running(folder_of_programs: str) -> Iterator[str]:
    """Start a server and yield how to connect to it."""
    # Not pytest's folder: the server may have to run as another user, and a socket's path must be short.
    folder = tempfile.mkdtemp(prefix="pg-")
    as_user: dict[str, Any] = {}
    if os.geteuid() == 0:  # it refuses to run as root
        names = {user.pw_name for user in pwd.getpwall()}
        server = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
        os.chown(folder, server.pw_uid, server.pw_gid)
        as_user = {"user": server.pw_uid, "group": server.pw_gid, "extra_groups": []}
    quick = "-c listen_addresses='' -c fsync=off -c full_page_writes=off -c max_connections=20"

    def control(program: str, *arguments: str) -> None:
        subprocess.run(
            [f"{folder_of_programs}/{program}", "-D", f"{folder}/base", *arguments],
            check=True,
            cwd=folder,
            timeout=60,
            stdout=subprocess.DEVNULL,
            **as_user,
        )

    try:
        control("initdb", "-U", "tester", "-A", "trust", "-E", "UTF8", "--no-sync")
        control("pg_ctl", "-w", "-l", f"{folder}/log", "-o", f"{quick} -k {folder}", "start")
        try:
            yield f"host={folder} user=tester dbname=postgres"
        finally:
            control("pg_ctl", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def lay(connection: Any, name: str, table: pa.Table) -> None:
    """Make a table of the server from an Arrow table, in place of an earlier one."""
    columns = ", ".join(f'"{field.name}" {_KINDS[str(field.type)]}' for field in table.schema)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {name}")
        cursor.execute(f"CREATE TABLE {name} ({columns})")
        with cursor.copy(f"COPY {name} FROM STDIN") as copy:
            for row in zip(*(column.to_pylist() for column in table.columns), strict=True):
                copy.write_row(row)
