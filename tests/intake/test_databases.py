"""A table or a query of a database file is a source like any other; what cannot be read says why, and no secret."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from discovery.engines.duckdb import DuckDBEngine
from discovery.errors import SourceError, SpecError
from discovery.intake.addresses import is_address, masked, without_secrets
from discovery.intake.databases import NOT_YET, OPENERS, Part, open_database
from discovery.intake.memory import open_source
from discovery.spec import build_spec, load_spec

from .tables import clean_accounts, clean_events, read, usable

EVENTS, ACCOUNTS = clean_events(), clean_accounts()


@pytest.fixture(scope="module")
def expected():
    return usable(read(EVENTS, ACCOUNTS))


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A file as a customer's dbt project leaves it: events and accounts in schemas, a view that names the file."""
    path = tmp_path / "crm.duckdb"
    with duckdb.connect(str(path)) as made:
        made.register("given_events", pa.Table.from_pandas(EVENTS))
        made.register("given_accounts", pa.Table.from_pandas(ACCOUNTS))
        made.execute("CREATE SCHEMA analytics")
        made.execute("CREATE TABLE analytics.events AS SELECT * FROM given_events")
        made.execute("CREATE TABLE accounts AS SELECT * FROM given_accounts")
        made.execute('CREATE TABLE analytics."Odd ""name"".x" AS SELECT * FROM given_events')
        made.execute("CREATE VIEW opened AS SELECT * FROM crm.analytics.events WHERE event = 'opened'")
    return path


def opened(location: str, table: str = "", sql: str = "", role: str = "events"):
    """Open one part of a database and return its columns and number of rows."""
    with DuckDBEngine() as engine:
        source = open_source(engine, location, role, "given", Part(table=table, sql=sql))
        return dict(source.columns), engine.rows(f"SELECT count(*) FROM {source.table()}")[0][0]


def test_tables_of_a_database_give_the_same_events(database, expected):
    relations = read(
        None,
        None,
        events={"from": f"duckdb://{database}", "table": "analytics.events"},
        accounts={"from": f"duckdb://{database}", "table": "accounts"},
    )
    assert usable(relations) == expected
    assert relations.spec.events.source == f"duckdb://{database}"
    assert (relations.spec.events.table, relations.spec.accounts.table) == ("analytics.events", "accounts")


def test_the_written_spec_reads_the_same_again(database, expected):
    first = read(f"duckdb://{database}", f"duckdb://{database}", events={"sql": "FROM analytics.events"})
    assert first.spec.events.sql == "FROM analytics.events"
    assert first.spec.accounts.table == "accounts"
    again = read(None, None, **first.spec.as_dict())
    assert usable(again) == usable(first) == expected
    assert again.spec == first.spec
    assert again.input_sha256 == first.input_sha256


def test_events_and_accounts_may_be_in_two_places(database, tmp_path, expected):
    EVENTS.to_csv(tmp_path / "e.csv", index=False)
    assert usable(read(tmp_path / "e.csv", f"duckdb://{database}")) == expected
    other = tmp_path / "other" / "crm.duckdb"
    other.parent.mkdir()
    with duckdb.connect(str(other)) as made:
        made.register("given", pa.Table.from_pandas(ACCOUNTS))
        made.execute("CREATE TABLE companies AS SELECT * FROM given")
    assert usable(read(f"duckdb://{database}", f"duckdb://{other}", events={"table": "analytics.events"})) == expected


def test_a_file_given_in_place_of_the_spec_takes_no_table_of_it(database, expected):
    spec = {"events": {"from": f"duckdb://{database}", "table": "analytics.events"}}
    assert usable(read(EVENTS, ACCOUNTS, **spec)) == expected
    with pytest.raises(SourceError, match="not in a database"):
        read(EVENTS, ACCOUNTS, events={"table": "analytics.events"})


def test_relative_paths_are_read_from_the_folder_of_the_spec(database, expected):
    spec = database.parent / "discover.toml"
    spec.write_text(
        '[events]\nfrom = "duckdb://crm.duckdb"\ntable = "analytics.events"\n[accounts]\nfrom = "duckdb://./crm.duckdb"\n'
        'sql = "SELECT * FROM accounts"\n'
    )
    assert usable(read(None, None, **load_spec(spec).as_dict())) == expected


@pytest.mark.parametrize(
    "table", ["analytics.events", "ANALYTICS.EVENTS", "crm.analytics.events", "opened", 'analytics.Odd "name".x']
)
def test_tables_are_found_by_their_names(table, database):
    columns, rows = opened(f"duckdb://{database}", table)
    assert list(columns) == list(EVENTS.columns)
    assert rows == len(EVENTS) / (2 if table == "opened" else 1)


def test_where_no_table_is_named_the_only_one_or_the_usual_one_is_read(database, tmp_path):
    assert opened(f"duckdb://{database}")[1] == len(EVENTS)
    assert opened(f"duckdb://{database}", role="accounts")[1] == len(ACCOUNTS)
    with pytest.raises(SourceError, match=r"which are the users\? Name one: --set identity.table=TABLE"):
        opened(f"duckdb://{database}", role="users")
    single = tmp_path / "single.db"
    with duckdb.connect(str(single)) as made:
        made.execute("CREATE TABLE whatever AS SELECT 1 AS a")
    assert opened(f"duckdb://{single}") == ({"a": "INTEGER"}, 1)


def test_an_unknown_table_is_answered_with_those_there_are(database):
    with pytest.raises(SourceError, match=r"no table 'analytics.evnts' .*Did you mean 'analytics.events'.*accounts"):
        opened(f"duckdb://{database}", "analytics.evnts")
    with pytest.raises(SourceError, match=r"names the table 'account', which is not in .*Did you mean 'accounts'"):
        opened(f"duckdb://{database}", sql="SELECT * FROM account")


def test_a_name_that_is_in_several_schemas_must_say_which(database):
    with duckdb.connect(str(database)) as made:
        made.execute("CREATE SCHEMA old; CREATE TABLE old.events AS SELECT * FROM analytics.events LIMIT 1")
    with pytest.raises(SourceError, match=r"several tables 'events'.*analytics\.events, old\.events|old.events"):
        opened(f"duckdb://{database}", "events")
    with pytest.raises(SourceError, match="in several schemas"):
        opened(f"duckdb://{database}", sql="FROM events")
    with pytest.raises(SourceError, match="which are the events"):
        opened(f"duckdb://{database}")
    assert opened(f"duckdb://{database}", sql="FROM old.events")[1] == 1


QUERIES = {
    "plain": ("SELECT * FROM analytics.events", 1),
    "default schema and semicolon": ("SELECT event FROM events;  ", 1),
    "from first, with a comment": ("FROM analytics.events -- all of them", 1),
    "shadowing name": (
        "WITH events AS (SELECT * FROM analytics.events WHERE event = 'opened') SELECT * FROM events",
        0.5,
    ),
    "name shadowed by a query over it": (
        "WITH events AS (SELECT * FROM events WHERE event = 'opened') SELECT * FROM events",
        0.5,
    ),
    "full name": ('SELECT e.* FROM crm.analytics.events AS e JOIN "accounts" USING (account_id)', 1),
    "view of the file": ("SELECT * FROM opened", 0.5),
    "union": ("SELECT event FROM opened UNION ALL (SELECT event FROM analytics.events)", 1.5),
    "subquery": ("SELECT * FROM events WHERE account_id IN (SELECT account_id FROM accounts)", 1),
    "rows made up": ("SELECT * FROM opened, range(2) r(i), unnest([1]) u(x)", 1),
    "json and casts": ("""SELECT '{"a": "x"}'::JSON->>'$.a' AS a, "timestamp"::DATE AS d FROM events""", 1),
    "words that look like tables": ("SELECT 'accounts' AS \"events\", event AS accounts FROM events", 1),
}


@pytest.mark.parametrize("kind", QUERIES)
def test_a_select_over_the_tables_is_read(kind, database):
    sql, share = QUERIES[kind]
    assert opened(f"duckdb://{database}", sql=sql)[1] == share * len(EVENTS)


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("SELECT 1; DROP TABLE accounts", "one SELECT"),
        ("DROP TABLE accounts", "one SELECT"),
        ("INSERT INTO accounts SELECT * FROM accounts", "one SELECT"),
        ("COPY accounts TO 'stolen.csv'", "one SELECT"),
        ("WITH x AS (DELETE FROM accounts RETURNING *) SELECT * FROM x", "one SELECT|cannot be had"),
        ("ATTACH 'other.duckdb' AS other", "one SELECT"),
        ("SELECT * INTO copied FROM accounts", "one SELECT"),
        ("SET memory_limit = '1GB'", "one SELECT"),
        ("SELECT * FROM read_csv('/etc/passwd')", "outside the database"),
        ("SELECT * FROM '/etc/passwd'", "not in the database"),
        ("SELECT * FROM glob('*')", "outside the database"),
        ("SELECT * FROM query('DROP TABLE accounts')", "outside the database"),
        ("SELECT * FROM duckdb_settings()", "outside the database"),
        ("SELECT getenv('HOME') FROM accounts", "outside the database"),
        ("SELECT current_setting('temp_directory') FROM accounts", "outside the database"),
        ("SELECT content FROM read_text('/etc/passwd')", "outside the database"),
        ("SELECT * FROM memory.main.accounts", "names the database 'memory'"),
        ("SELECT * FROM accounts WHERE plan = $1", "parameter"),
        ("SELECT * FROM accounts WHERE", "cannot be read as SQL|cannot be had"),
        ("SELECT nonsense FROM accounts", "nonsense"),
        ("   ", "one SELECT"),
    ],
)
def test_anything_else_is_refused(sql, says, database):
    before = database.read_bytes()
    with pytest.raises(SourceError, match=says) as caught:
        opened(f"duckdb://{database}", sql=sql)
    assert "\n" not in str(caught.value)
    assert database.read_bytes() == before
    assert not (Path.cwd() / "stolen.csv").exists()


def test_the_file_is_not_written_to(database):
    before = database.read_bytes()
    with DuckDBEngine() as engine:
        source = open_source(engine, f"duckdb://{database}", "events", "given", Part(table="analytics.events"))
        with pytest.raises(Exception, match="read-only"):
            engine.execute(f"DELETE FROM {source.table()}")
    assert database.read_bytes() == before


def test_the_digest_is_of_the_rows_read(database):
    def digest() -> str:
        return read(f"duckdb://{database}", ACCOUNTS, events={"table": "analytics.events"}).input_sha256

    first = digest()
    with duckdb.connect(str(database)) as changed:
        changed.execute("CREATE TABLE elsewhere AS SELECT 1 AS a")
        changed.execute("CREATE OR REPLACE TABLE analytics.events AS SELECT * FROM analytics.events ORDER BY random()")
    assert digest() == first
    with duckdb.connect(str(database)) as changed:
        changed.execute("INSERT INTO analytics.events SELECT * FROM analytics.events LIMIT 1")
    assert digest() != first


def no_file(folder: Path) -> Path:
    return folder / "nowhere.duckdb"


def no_database(folder: Path) -> Path:
    (folder / "notes.duckdb").write_text("not a database, but longer than its first block would be\n" * 300)
    return folder / "notes.duckdb"


def no_bytes(folder: Path) -> Path:
    (folder / "empty.duckdb").touch()
    return folder / "empty.duckdb"


def other_kind(folder: Path) -> Path:
    (folder / "lite.duckdb").write_bytes(b"SQLite format 3\0" + bytes(5000))
    return folder / "lite.duckdb"


def cut_short(folder: Path) -> Path:
    duckdb.connect(str(folder / "cut.duckdb")).execute("CREATE TABLE t AS SELECT 1 AS a").close()
    (folder / "cut.duckdb").write_bytes((folder / "cut.duckdb").read_bytes()[:9000])
    return folder / "cut.duckdb"


def no_tables(folder: Path) -> Path:
    duckdb.connect(str(folder / "bare.duckdb")).close()
    return folder / "bare.duckdb"


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (no_file, "no database at"),
        (no_database, "is no DuckDB database"),
        (no_bytes, "is no DuckDB database"),
        (other_kind, "is no DuckDB database"),
        (cut_short, "cannot be read"),
        (no_tables, "holds no tables"),
        (lambda folder: folder, "a folder"),
    ],
)
def test_files_that_are_no_database_say_so(made, says, tmp_path):
    with pytest.raises(SourceError, match=says) as caught:
        opened(f"duckdb://{made(tmp_path)}")
    assert "\n" not in str(caught.value)


def test_a_database_open_elsewhere_says_so(database):
    program = f"import duckdb; c = duckdb.connect({str(database)!r}); print('open', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(SourceError, match="open in another program"):
            opened(f"duckdb://{database}")
        other.communicate("\n")
    with duckdb.connect(str(database)), pytest.raises(SourceError, match="open in this program"):
        opened(f"duckdb://{database}")
    assert opened(f"duckdb://{database}")[1] == len(EVENTS)


def test_rows_that_are_only_in_the_write_ahead_log_are_read(tmp_path):
    path = tmp_path / "killed.duckdb"
    program = (
        f"import duckdb, os; c = duckdb.connect({str(path)!r}); c.execute('CREATE TABLE t AS SELECT 1 AS a'); "
        "c.execute('CHECKPOINT'); c.execute('INSERT INTO t VALUES (2)'); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    assert os.path.getsize(f"{path}.wal")
    assert opened(f"duckdb://{path}")[1] == 2


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM analytics.events WHERE random() < 0.5",
        "SELECT *, uuid() AS id FROM analytics.events",
        "SELECT *, gen_random_uuid() AS id FROM analytics.events",
        "SELECT * FROM analytics.events USING SAMPLE 10%",
        "SELECT * FROM (SELECT * FROM analytics.events TABLESAMPLE 10%)",
    ],
)
def test_a_query_that_answers_differently_every_time_is_refused(sql, database):
    with pytest.raises(SourceError, match="differently every time"):
        opened(f"duckdb://{database}", sql=sql)


SECRET = "hunter2"
WITH_SECRETS = [
    f"duckdb://ann:{SECRET}@host/crm.duckdb",
    f"duckdb://ann:with/slash{SECRET}@host/crm.duckdb",
    f"duckdb://{SECRET}@host",
    f"duckdb:///srv/crm.duckdb?password={SECRET}",
    f"duckdb:///srv/crm.duckdb#{SECRET}",
    f"postgres://ann:{SECRET}@db.example.com/crm",
    f"snowflake://ann:{SECRET}@account/db/schema?warehouse=x",
    f"postgresql+psycopg://ann:{SECRET}@db/crm",
    f"s3://key:{SECRET}@bucket/events.parquet",
    f"https://example.com/events.parquet?token={SECRET}",
    f"oracle://ann:{SECRET}@db/crm",
    f"jdbc:postgresql://db/crm?user=ann&password={SECRET}",
    f"jdbc:sqlserver://db;user=ann;password={SECRET}",
    f"md:?motherduck_token={SECRET}",
    f"md:crm?motherduck_token={SECRET}",
    f"host=db password={SECRET}",
    f"host=db sslpassword='{SECRET}'",
    f"host=db pass={SECRET}",
    f"postgres:ann:{SECRET}@db/crm",
    f"access_key={SECRET} bucket=b",
]


@pytest.mark.parametrize("address", WITH_SECRETS)
def test_no_message_repeats_a_secret(address):
    with pytest.raises(SourceError) as caught:
        read(address, ACCOUNTS)
    assert SECRET not in str(caught.value)
    with pytest.raises(SourceError) as caught:
        read(EVENTS, address)
    assert SECRET not in str(caught.value)
    assert SECRET not in without_secrets(address)


@pytest.mark.parametrize("address", [a for a in WITH_SECRETS if f":{SECRET}@" in a or "=h" in a or "='h" in a])
def test_a_secret_is_masked_in_the_middle_of_a_message(address):
    assert SECRET not in masked(f"Unexpected argument {address} accounts.csv")
    assert SECRET not in masked(f"Unexpected argument '{address}' accounts.csv")


def test_folders_of_a_partitioned_table_named_like_secrets_are_read(tmp_path, monkeypatch):
    folder = tmp_path / "account_key=5"
    folder.mkdir()
    EVENTS.to_parquet(folder / "events.parquet")
    monkeypatch.chdir(tmp_path)
    for path in (f"{folder}/events.parquet", "account_key=5", "account_key=5/events.parquet", f"{folder}/*.parquet"):
        assert read(path, ACCOUNTS).events_rows == len(EVENTS)
    assert build_spec({"events": {"from": path}, "accounts": {"from": "account_key=5/accounts.csv"}})
    assert masked(f"{folder}/events.parquet is empty") == f"{folder}/events.parquet is empty"


@pytest.mark.parametrize("address", [address for address in WITH_SECRETS if ":hunter2@" in address or "=" in address])
def test_a_spec_refuses_a_secret_without_repeating_it(address):
    if "warehouse" in address or "s3" in address or ":hunter2@" in address or "password" in address:
        with pytest.raises(SpecError) as caught:
            build_spec({"events": {"from": address}})
        assert SECRET not in str(caught.value)


def test_an_at_sign_in_a_folder_is_no_secret(tmp_path):
    folder = tmp_path / "ann@example.com"
    folder.mkdir()
    with duckdb.connect(str(folder / "crm.duckdb")) as made:
        made.execute("CREATE TABLE t AS SELECT 1 AS a")
    assert opened(f"duckdb://{folder / 'crm.duckdb'}")[1] == 1


@pytest.mark.parametrize("scheme", NOT_YET)
def test_databases_that_are_not_read_yet_say_what_works(scheme):
    with pytest.raises(SourceError, match=r"not read directly.*Parquet.*discover export"):
        read(f"{scheme}://host/crm", ACCOUNTS)


def test_an_address_is_told_from_a_path():
    assert is_address("duckdb://crm.duckdb")
    assert not any(map(is_address, ("crm.duckdb", "C://folder"[2:], "./a:b//c", Path("x"), 7)))
    with pytest.raises(SourceError, match="unknown kind"):
        read("dukdb://crm.duckdb", ACCOUNTS)


def test_a_database_given_as_a_path_is_pointed_to(database):
    with pytest.raises(SourceError, match=r"read it as duckdb://"):
        read(database, ACCOUNTS)


def test_another_kind_of_database_is_one_entry(monkeypatch, expected):
    def open_made_up(engine, location, table, sql, role):
        assert (location, table, sql, role) == ("warehouse", "raw.events", "", "events")
        return open_source(engine, EVENTS, role, "made_up_events")

    monkeypatch.setitem(OPENERS, "madeup", open_made_up)
    with DuckDBEngine() as engine:
        assert open_database(engine, "madeup://warehouse", "events", Part(table="raw.events")).columns
    assert usable(read("madeup://warehouse", ACCOUNTS, events={"table": "raw.events"})) == expected
