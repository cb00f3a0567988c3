"""Event names as product analytics tools and teams write them, and what each suggests."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discovery.ladder import names

from .climbs import HOSTILE, QUICKLY

TRACKERS = {
    "presence": """
        login|logins|Logged In|user_logged_in|userLoggedIn|Signed In|sign_in_with_google|first_sso_login|session|
        session_start|Session Started|[Amplitude] Start Session|[Amplitude] End Session|$pageview|page_view|Page Viewed|
        Viewed Pricing Page|screen_view|Landing Page Viewed|page_view_pricing|Application Opened|app_launched|
        mobile_app_opened|first_open|user_engagement|Dashboard Viewed|dashboard_opened|Home Opened|List View Opened|
        heartbeat|Identify|$groupidentify|first_visit|Anmeldung|Seite aufgerufen|Inicio de sesión|Connexion|
        Página vista|Page vue|ログイン|登录|로그인
    """,
    "looking": """
        Invoice Viewed|report_viewed|Product Viewed|Clicked Create Report|create_report_clicked|Create View Clicked|
        Link Clicked|product_tour_completed|onboarding_tour_started|video_watched|feature_opened|Email Opened|
        tooltip_shown|button_hovered|Article Scrolled|report_viewed_by_user
    """,
    "failure": """
        sync_failed|Sync Failed|syncFailed|payment_timeout|Request Timed Out|Import Error|error_created|
        exception_raised|permission_denied|email_bounced|card_declined|upload_aborted|integration_disconnected|
        create_report_failed|export_failed|Export Error Occurred|build_failed_on_ci|schedule_conflict_detected|
        export_timeout_reached|error_repeated|save_error|App Crashed|API Key Expired|
        Synchronisierung fehlgeschlagen|Fehler beim Import|échec_import|Erreur de connexion|pago_fallido|
        Pago fallado|pagamento_falhou|importação_com_erro|mislukte_fout|błąd_importu|misslyckades|ödeme_başarısız|
        ошибка_импорта|Сбой синхронизации|同期エラー|导入失败|가져오기_실패
    """,
    "nothing": """
        report_shared|Report Shared|first_message_sent|task_completed|Deal Won|Contact Created|Sequence Sent|
        Workflow Run Completed|Recommendation Accepted|teammate_invited|second_user_active|data_import_completed|
        report_viewed_by_client|Invoice Viewed by Customer|proposal_opened_by_recipient|View Created|create_view|
        saved_view_shared|list_view_created|Page Published|landing_page_created|overview_page_published|
        login_page_customized|sign_in_sheet_created|coaching_session_started|training_session_booked|client_session_started|
        page_views_exported|dashboard_view_saved|pull_request_opened|Ticket Opened|deal_opened|ClickUp Synced|
        ClickHouse Query Run|one_click_deploy_completed|tour_booked|job_application_started|installment_paid|
        important_task_completed|failover_tested|conflict_resolved|fix_error|failed_payment_recovered|error_alert_sent|
        Import Completed Without Errors|calendar_time_blocked|crash_report_shared|bounce_rate_report_built|
        review_submitted|preview_generated|interview_scheduled|clicks_exported|errand_booked|log_ingested|
        Bericht geteilt|rapport_partagé|Informe compartido|レポート共有|报告已分享|отчёт_отправлен
    """,
}


def table(of):
    return [(kind, name.strip()) for kind, text in of.items() for name in text.split("|")]


@pytest.mark.parametrize(("kind", "name"), table(TRACKERS))
def test_what_a_name_suggests(kind, name):
    assert names.is_presence(name) == (kind == "presence")
    assert names.is_looking(name) == (kind in ("presence", "looking"))
    assert names.is_failure(name) == (kind == "failure")


@pytest.mark.parametrize("name", ["error_shown", "rage_click"])
def test_a_failure_that_was_looked_at_is_both(name):
    assert names.is_failure(name)
    assert names.is_looking(name)


SET_UP = """
    signed_up|Sign Up|workspace_created|Project Created|Account Created|email_verified|Confirmed Email|
    onboarding_completed|Onboarding Checklist Finished|profile_completed|api_key_added|integration_connected|
    Slack Connected|csv_imported|data_import_started|SDK Installed|Teammate Invited|einladung_verschickt|
    settings_saved|role_assigned|2FA Enabled|Template Chosen
"""
NOT_SET_UP = """
    report_shared|task_completed|installment_paid|important_task_completed|imposter_reported|message_sent|deal_won|
    profiled_query_run|enrolled|prescription_sent|uninstalled
"""


@pytest.mark.parametrize("name", [name.strip() for name in SET_UP.split("|")])
def test_set_up_is_told_by_name(name):
    assert names.is_setup(name)


@pytest.mark.parametrize("name", [name.strip() for name in NOT_SET_UP.split("|")])
def test_what_only_sounds_like_set_up_is_not(name):
    assert not names.is_setup(name)


@pytest.mark.parametrize(
    "name",
    ["event", "custom_event", "Custom Event", "customevent", "click", "Button Clicked", "$autocapture", "action_1",
     "17", "test_event", "API call", "track", "other", "undefined", "updated"],
)  # fmt: skip
def test_generic(name):
    assert names.is_generic(name)


@pytest.mark.parametrize(
    "name",
    ["task_updated", "report_shared", "test_passed", "api_key_added", "call_booked", "Event Created", "共有"],
)
def test_not_generic(name):
    assert not names.is_generic(name)


JUDGES = [names.is_presence, names.is_looking, names.is_setup, names.is_failure, names.is_generic]


@pytest.mark.parametrize("judge", JUDGES)
@QUICKLY
@given(st.text(max_size=30) | st.sampled_from(HOSTILE))
def test_any_name_can_be_judged(judge, name):
    assert judge(name) in (True, False)


@pytest.mark.parametrize("name", [name for _, name in table(TRACKERS) if name.isascii() and name.islower()])
def test_spelling_is_irrelevant(name):
    spellings = (name.upper(), name.title(), name.replace("_", "-"), name.replace("_", "."), f" {name} ")
    for judge in JUDGES:
        assert {judge(spelled) for spelled in spellings} == {judge(name)}


@pytest.mark.parametrize(
    "name",
    ["1" * 5000 + "x", "event" * 1000 + "x", "_a" * 3000 + "!x", "user_" * 2000, "page_view_" * 1000 + "x",
     "error_by_" * 1000, "create_" * 2000 + "x", "new_first_" * 1000, "x_created_by_" * 1000, "click" * 1000],
)  # fmt: skip
def test_no_name_takes_long(name):
    begun = time.process_time()
    for judge in JUDGES:
        judge(name)
    assert time.process_time() - begun < 1.0


@pytest.mark.parametrize(
    "name", ["session_expired", "Trial Expired", "setup_abandoned", "checkout_abandoned", "idle_timeout"]
)
def test_the_end_of_use_is_nothing_that_failed_before_it(name):
    assert not names.is_failure(name)
