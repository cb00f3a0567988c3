"""Names that speak of the decision to stay or go, and names that only look like it."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discovery.ranking.decision_words import ENTRIES
from discovery.ranking.lexicon import OutcomeTerm, outcome_term, outcome_word

DECISIONS = {
    "English": """
        subscription_ended churn_event Plan·Upgraded planUpgraded invoice.paid trial_ended CANCEL·CLICKED
        paid_subscription_started renewal_discussed seats·added card-payment_failed customer.subscription.deleted
        invoice.payment_failed charge.succeeded checkout.session.completed Account·Deleted Trial·Ended
        subscription_changes_scheduled billing_issue_event cancellation_requested CancellationSurveySubmitted
        exit_survey_shown quote_accepted request_quote purchase_order_received refund_issued dunning_email_sent
        trialConverted UserTrialExpired downgraded_to_free offboarding_started workspace_deleted deleteAccount
        contract_signed autorenew_disabled seat_removed credit-card-added bought·addon HTTPPaymentFailed
        auto_renew_off subscriptionPlan2Cancelled resubscribed chargeback_received upgrade·clicked
    """,
    "German": """
        Kündigung·bestätigt Kuendigung_bestaetigt konto_gelöscht Rechnung·bezahlt zahlungFehlgeschlagen
        Vertrag·unterschrieben Vertragsverlängerung Abo·gekündigt Tarifwechsel Mahnung_verschickt STORNIERUNG
        testphase_abgelaufen Abonnement_gestartet Kreditkarte_hinterlegt
    """,
    "French": """
        résiliation_demandée Paiement·échoué facture_payée abonnement·souscrit renouvellement essai·terminé
        compte_supprimé devis_accepté achat_effectué remboursement·demandé désabonnement contrat·signé
    """,
    "Spanish": """
        suscripción·cancelada PagoFallido factura_emitida renovación·confirmada prueba_finalizada
        cuenta·eliminada cambio_de_plan dado_de_baja contrato·firmado reembolso_solicitado compra_realizada
    """,
    "Portuguese": """
        assinatura·cancelada pagamento_recusado fatura_paga renovação_automática boleto_gerado teste_expirado
        conta_excluída cancelamento·solicitado cobrança_enviada mudança_de_plano
    """,
    "Italian": """
        abbonamento·attivato disdetta_inviata pagamento_fallito fattura·pagata rinnovo_automatico prova·scaduta
        acquisto_completato rimborso_richiesto account_eliminato contratto·firmato
    """,
    "Dutch": """
        abonnement·opgezegd factuur_betaald betaling·mislukt proefperiode_verlopen account_verwijderd
        offerte_geaccepteerd terugbetaling opzegging_ontvangen
    """,
    "Polish": """
        subskrypcja_anulowana płatność_odrzucona faktura·opłacona umowa_podpisana rezygnacja·zgłoszona
        odnowienie_subskrypcji konto_usunięte wypowiedzenie·umowy zakup_zakończony zmiana_planu
    """,
    "Scandinavian": """
        prenumeration·avslutad uppsägning_mottagen faktura_betald betaling_mislykket abonnement·opsagt
        förnyelse fornyelse_bekræftet oppsigelse·sendt opgraderet_plan kjøpt_lisens inkassovarsel konto_slettet
    """,
    "Turkish": """
        abonelik·iptal·edildi ödeme·başarısız satın·alındı İptal·edildi sözleşme_imzalandı fatura·ödendi
        deneme_süresi_doldu HESAP·SİLİNDİ kredi·kartı·eklendi
    """,
    "Russian": """
        Подписка·отменена оплата_прошла платёж_не_прошёл договор·подписан ПРОДЛЕНИЕ подпискаОтменена
        тариф_изменён покупка·завершена аккаунт_удалён podpiska_otmenena oplata·proshla расторжение·договора
    """,
    "Japanese": """
        プラン解約 退会しました 支払い完了 決済エラー サブスクリプション開始 契約更新 アップグレード完了 請求書発行
        キャンセル トライアル終了 ＳＵＢＳＣＲＩＰＴＩＯＮ kaiyaku_moushikomi アカウント削除 有料プランUpgrade
    """,
    "Chinese": """
        取消订阅 用户付款成功 續費成功 升级套餐 降級 账单已出 申请退款 合同签署 试用到期 注销账号 購買席位
        fapiao_kaiju 绑定信用卡
    """,
}

NEAR_MISSES = """
    report_shared unpaid_leave_requested trial_started repaired scheduled 🎉 bill_of_materials_opened billboard_viewed
    charger_connected battery_charged recharge_station_found planner_opened plan_created lesson_plan_changed
    subscribed_to_channel newsletter_subscribed unsubscribe_link_clicked subscript_inserted thread_unsubscribed
    card_created card_moved card_updated annual_report_viewed renew_ssl_certificate certificate_renewed token_renewed
    renewable_energy_chart_viewed contractor_invited smart_contract_deployed contract_test_passed
    contraction_logged meeting_cancelled booking_canceled upload_cancelled cancelExport noise_cancellation_enabled
    appVersionUpgraded database_upgraded kubernetes_cluster_upgraded git_checkout branch_checkout paid_ads_connected
    paid_time_off_requested payload_received payroll_viewed pay_stub_downloaded payer_added attention_paid_search
    seat_selected quote_block_inserted quoted_reply bank_account_deleted social_account_removed user_deactivated
    alert_deactivated session_terminated terminal_opened employee_offboarded onboarding_finished churn_report_viewed
    churn_rate_dashboard_opened trial_balance_viewed clinical_trial_ended checklist_completed checked_out invited
    export_downloaded data_exported nps_submitted pricing_page_viewed account_created account_viewed
    buyer_persona_created page_viewed paging_enabled credit_score_viewed task_overdue workspace_created
    renovation_project_added resilience_test_run provider_added pagination_changed comprehension_quiz_taken
    compare_clicked abode_listed bajada profile_updated dashboard_viewed login sync_failed
    Termin·storniert réunion_annulation cita_cancelada toplantı·iptal·edildi встреча·отменена 資料請求 プロフィール更新
    会議キャンセル 版本升级 系统升级 订阅频道 注销 更新 取消 保存成功 sayfa_yenileme assinatura_digital_concluída
    wypowiedź_dodana kundenliste_geöffnet zahlen_formatiert aboard_screen verlängerung_deadline
"""


def names(text: str) -> list[str]:
    return [name.replace("·", " ") for name in text.split()]


@pytest.mark.parametrize(
    ("language", "event"), [(language, event) for language, text in DECISIONS.items() for event in names(text)]
)
def test_decisions_are_recognised(language: str, event: str) -> None:
    assert outcome_word(event), language


@pytest.mark.parametrize("event", [*names(NEAR_MISSES), "", "subscribed to newsletter", "run · cancelled"])
def test_ordinary_use_is_not(event: str) -> None:
    assert outcome_term(event) is None


def test_the_words_are_given_whole_and_as_they_are_written() -> None:
    assert outcome_word("Subscription Ended") == "subscription"
    assert outcome_word("userPlanChanged") == "plan changed"
    assert outcome_word("Nutzer_Kündigung") == "kündigung"
    assert outcome_word("用户取消订阅了") == "订阅"


@pytest.mark.parametrize(
    ("event", "language", "meaning"),
    [
        ("plan_upgraded", "English", "changing the plan"),
        ("TrialExpired", "English", "ending the trial"),
        ("résilié", "French", "cancelling"),
        ("satın alındı", "Turkish", "buying"),
        ("退会", "Japanese", "leaving"),
    ],
)
def test_language_and_meaning_are_told(event: str, language: str, meaning: str) -> None:
    term = outcome_term(event)
    assert isinstance(term, OutcomeTerm)
    assert (term.language, term.meaning) == (language, meaning)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.language}-{entry.meaning}")
def test_every_word_of_the_table_is_found(entry) -> None:
    """No word is shadowed by its own exceptions, misspelt for the folding, or lost to the splitting."""
    for word in entry.words.split():
        assert outcome_term(word.replace("*", "")) or outcome_term(word.replace("*", "s")), word


def test_a_language_is_never_without_the_main_meanings() -> None:
    for language in DECISIONS:
        meanings = {entry.meaning for entry in ENTRIES if entry.language == language}
        assert {"paying", "leaving", "ending the trial"} <= meanings, language


@given(st.text(max_size=30))
def test_any_name_can_be_judged(event: str) -> None:
    word = outcome_word(event)
    assert word is None or word


@pytest.mark.parametrize("event", [name for text in DECISIONS.values() for name in names(text) if name.islower()])
def test_case_and_separators_are_irrelevant(event: str) -> None:
    term = outcome_term(event)
    for spelled in (event.upper(), event.title(), re.sub(r"[ _]", "-", event), f"web.{event} clicked"):
        assert outcome_term(spelled) is not None
        assert outcome_term(spelled).meaning == term.meaning


def test_a_whole_document_is_looked_at_no_further_than_a_name():
    begun = time.perf_counter()
    assert outcome_word("a b " * 5_000_000 + "cancelled") is None
    assert outcome_word("cancelled " + "a b " * 5_000_000) == "cancelled"
    assert time.perf_counter() - begun < 1
