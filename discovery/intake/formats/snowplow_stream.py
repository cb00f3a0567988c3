"""Snowplow's enriched stream: tab-separated files without a header, all entities of an event in one column of JSON.

References
----------
https://docs.snowplow.io/docs/fundamentals/canonical-event/understanding-the-enriched-tsv-format/
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from discovery.engines.expressions import quoted
from discovery.intake.csv_head import CsvHead
from discovery.intake.formats.layout import Look
from discovery.intake.formats.told import as_json, settled, with_column
from discovery.intake.packed import first_bytes
from discovery.intake.sources import CsvFiles, Source
from discovery.intake.sql import literal, path_list

_COLUMNS = (
    "app_id platform etl_tstamp collector_tstamp dvce_created_tstamp event event_id txn_id name_tracker v_tracker "
    "v_collector v_etl user_id user_ipaddress user_fingerprint domain_userid domain_sessionidx network_userid "
    "geo_country geo_region geo_city geo_zipcode geo_latitude geo_longitude geo_region_name ip_isp ip_organization "
    "ip_domain ip_netspeed page_url page_title page_referrer page_urlscheme page_urlhost page_urlport page_urlpath "
    "page_urlquery page_urlfragment refr_urlscheme refr_urlhost refr_urlport refr_urlpath refr_urlquery "
    "refr_urlfragment refr_medium refr_source refr_term mkt_medium mkt_source mkt_term mkt_content mkt_campaign "
    "contexts se_category se_action se_label se_property se_value unstruct_event tr_orderid tr_affiliation tr_total "
    "tr_tax tr_shipping tr_city tr_state tr_country ti_orderid ti_sku ti_name ti_category ti_price ti_quantity "
    "pp_xoffset_min pp_xoffset_max pp_yoffset_min pp_yoffset_max useragent br_name br_family br_version br_type "
    "br_renderengine br_lang br_features_pdf br_features_flash br_features_java br_features_director "
    "br_features_quicktime br_features_realplayer br_features_windowsmedia br_features_gears "
    "br_features_silverlight br_cookies br_colordepth br_viewwidth br_viewheight os_name os_family os_manufacturer "
    "os_timezone dvce_type dvce_ismobile dvce_screenwidth dvce_screenheight doc_charset doc_width doc_height "
    "tr_currency tr_total_base tr_tax_base tr_shipping_base ti_currency ti_price_base base_currency geo_timezone "
    "mkt_clickid mkt_network etl_tags dvce_sent_tstamp refr_domain_userid refr_device_tstamp derived_contexts "
    "domain_sessionid derived_tstamp event_vendor event_name event_format event_version event_fingerprint "
    "true_tstamp"
)
ENRICHED = tuple(_COLUMNS.split())
"""The columns of the enriched stream, in order; its files have no header."""

_SCHEMA = re.compile(r"iglu:([^/]+)/([^/]+)/jsonschema/([0-9]+)-.*")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:.]+")


@dataclass(frozen=True, slots=True)
class _Headless(CsvHead):
    """How files of the enriched stream are laid out: tabs, no header, nothing quoted."""

    def scan(self, paths: tuple[Path, ...], strict: bool, rejects: str) -> str:
        """Return the table expression for files laid out like this."""
        columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in self.names)
        lost = (
            f"store_rejects=true, rejects_table={literal(rejects + '_errors')}, "
            f"rejects_scan={literal(rejects + '_scans')}"
            if rejects
            else "ignore_errors=true"
        )
        return (
            f"read_csv({path_list(paths)}, columns={{{columns}}}, auto_detect=false, header=false, delim='\t', "
            f"quote='', escape='', hive_partitioning=false, strict_mode={str(strict).lower()}, {lost})"
        )


def is_enriched(source: Source) -> bool:
    """Say whether these are files of the enriched stream, by their first line."""
    if not isinstance(source, CsvFiles):
        return False
    line = first_bytes(source.files.paths[0], 1 << 18).partition(b"\n")[0].decode("utf-8", errors="replace")
    values = line.rstrip("\r").split("\t")
    if len(values) < len(ENRICHED) - 1:
        return False
    told = dict(zip(ENRICHED, values, strict=False))
    return bool(_UUID.fullmatch(told["event_id"]) and _TIME.fullmatch(told["collector_tstamp"]))


def with_header(source: Source) -> Source:
    """Return the files of the enriched stream as a source whose columns have their names."""
    if not isinstance(source, CsvFiles):
        return source
    head = _Headless(ENRICHED, "\t", "utf-8")
    return replace(source, heads={head: source.files.paths}, columns=dict.fromkeys(ENRICHED, "VARCHAR"))


def with_entities(look: Look) -> Source:
    """Return the source with a column for each kind of entity, as a lake has them, and one for the own fields."""
    source = look.source
    for column in ("contexts", "derived_contexts"):
        listed = f"CAST(json_extract({as_json(column, 'VARCHAR')}, '$.data') AS JSON[])"
        for vendor, name in _schemas(look, listed):
            here = f"starts_with(json_extract_string(e, '$.schema'), {literal(f'iglu:{vendor}/{name}/')})"
            data = f"list_transform(list_filter({listed}, lambda e: {here}), lambda e: json_extract(e, '$.data'))"
            named = re.sub(r"[^a-z0-9]+", "_", f"contexts_{vendor}_{_snake(name)}_1".lower())
            if named not in source.columns:
                source = with_column(source, named, f"CAST(to_json({data}) AS VARCHAR)")
    own = f"json_extract({as_json('unstruct_event', 'VARCHAR')}, '$.data.data')"
    return settled(with_column(source, "properties", f"CAST({own} AS VARCHAR)"))


def _schemas(look: Look, listed: str) -> list[tuple[str, str]]:
    found = look.engine.rows(
        f"SELECT DISTINCT json_extract_string(e, '$.schema') AS s FROM "
        f"(SELECT unnest({listed}) AS e FROM {quoted(look.rows)}) WHERE s IS NOT NULL ORDER BY s"
    )
    matched = [_SCHEMA.fullmatch(schema) for (schema,) in found]
    return sorted({(match[1], match[2]) for match in matched if match})


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
