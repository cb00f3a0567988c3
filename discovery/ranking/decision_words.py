"""Words of the decision to stay or go, by language and meaning: a table, and nothing else.

Where the words come from
-------------------------
English: the event names that billing systems and tracking plans publish (Stripe's event types, Chargebee's
event list, the notifications of Recurly, Paddle, FastSpring and RevenueCat, and the account and trial events
of Segment's specification for B2B SaaS), and the everyday words of the same acts. Other languages: the words
that price pages, invoices and terms of contract use for them. Every word of every language is looked for in
every name, so words that mean something ordinary in another language are left out.

How they are written
--------------------
Without accents and in lower case, words of a phrase joined by `_`; `*` stands for any ending of a word. An
entry is passed over where the name also holds one of the words of `unless`, which make it ordinary use.
"""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """Words of one meaning in one language. `spaced` False: the script puts no spaces between words."""

    language: str
    meaning: str
    words: str
    unless: str = ""
    spaced: bool = True


_APPOINTMENTS = (
    "meeting* booking* appointment* reservation* event* call calls demo* order* shipment* delivery* invit* interview* "
    "shift* class* session* visit* ride* trip* flight* ticket* reunion* reuniao* riunion* cita citas pedido* reserva* "
    "ordine ordini prenotazion* rendez rdv commande* termin termine bestellung* afspraak* wizyt* spotkan*"
)
_OPERATIONS = (
    "upload* download* export* import* sync* build* deploy* job* task* run runs edit edits editing draft* search* "
    "query* print* recording* workflow* scan* transfer* reminder* message* friend* follow* vote* bid* timer* sprint*"
)
_SOFTWARE = (
    "version* app apps software firmware database* db cluster* kubernetes node nodes browser* package* dependenc* "
    "schema* driver* agent* plugin* sdk extension* server* os library runtime engine* helm theme*"
)
_FEEDS = (
    "channel* thread* topic* newsletter* notification* feed* calendar* webhook* mailing email* push list lists blog* "
    "rss alert* digest* updates podcast* comment* issue issues repo*"
)
_OTHER_ACCOUNTS = "bank social ad ads email mail service ledger gl twitter facebook instagram google linkedin tiktok"

ENTRIES: tuple[Entry, ...] = (
    Entry("English", "paying", "bill bills billed billing rebill*", "materials lading rights"),
    Entry("English", "paying", "invoic* payment* prepayment* dunning refund* chargeback*"),
    Entry("English", "paying", "credit_card* creditcard* debit_card* direct_debit* card_declin* card_expir*"),
    Entry("English", "paying", "pay pays paying", "attention slip* stub* run runs grade* equity gap* period*"),
    Entry("English", "paying", "paid", "leave time vacation media ad ads search campaign*"),
    Entry("English", "paying", "charge charges charged", "battery vehicle* ev station* point* device* person nurse"),
    Entry("English", "buying", "checkout*", "branch* git repo* code guest* room* equipment book*"),
    Entry("English", "buying", "purchas* buy buys buying bought upsell*", "persona*"),
    Entry(
        "English",
        "renewing",
        "renew renews renewed renewing renewal* autorenew* nonrenew*",
        "ssl tls cert* token* lease* session* password* domain* passport* prescription* visa* book*",
    ),
    Entry("English", "subscribing", "subscrib* subscription* resubscri*", _FEEDS),
    Entry("English", "subscribing", "unsubscri*", f"{_FEEDS} link*"),
    Entry("English", "changing the plan", "upgrad* downgrad*", _SOFTWARE),
    Entry(
        "English",
        "changing the plan",
        "plan_chang* plan_switch* plan_select* plan_expir* chang*_plan switch*_plan select*_plan",
        "lesson floor project test meal workout action study treatment care seating",
    ),
    Entry(
        "English",
        "buying seats",
        "seat_add* seats_add* add*_seat* seat_remov* seats_remov* remov*_seat* seats_chang* seat_count_chang* "
        "license_add* licenses_add* licence_add* licences_add* license_remov* licenses_remov* licence_remov* "
        "licences_remov* license_expir* licence_expir*",
        "driver* driving",
    ),
    Entry(
        "English", "contracting", "contract contracts contracted", "smart test tests testing data api muscle template*"
    ),
    Entry(
        "English",
        "contracting",
        "order_form* quote_request* request*_quote quote_accept* quote_approv* quote_sign* quote_sent price_quote* "
        "pricing_quote* sales_quote* get_quote",
    ),
    Entry(
        "English",
        "ending the trial",
        "trial_end* trial_expir* trial_convert* trial_conversion* trial_will_end trial_extend* trial_over "
        "trial_finish* trial_period_end* trial_period_expir* end*_trial extend*_trial convert*_trial",
        "clinical",
    ),
    Entry(
        "English",
        "cancelling",
        "cancel cancels canceled cancelled canceling cancelling canceler",
        f"{_APPOINTMENTS} {_OPERATIONS}",
    ),
    Entry("English", "cancelling", "cancellation* cancelation*", f"{_APPOINTMENTS} noise echo"),
    Entry("English", "leaving", "churn*", "report* rate dashboard* predict* model* analys* chart*"),
    Entry("English", "leaving", "offboard*", "employee* member* hire hires device*"),
    Entry(
        "English",
        "leaving",
        "deactivat*",
        "user* member* alert* rule* filter* workflow* automation* feature* campaign* integration* webhook* key keys "
        "product* template* device* employee* link* code codes coupon* plugin* flag* form forms bot bots trigger* "
        "schedul*",
    ),
    Entry(
        "English",
        "leaving",
        "terminat*",
        "process* session* instance* pod pods job jobs container* connection* thread* employee* call calls server* vm "
        "workflow* task* worker*",
    ),
    Entry(
        "English",
        "leaving",
        "account_delet* delet*_account account_clos* clos*_account account_remov* remov*_account account_suspend* "
        "account_expir* account_reactivat* reactivat*_account",
        _OTHER_ACCOUNTS,
    ),
    Entry(
        "English",
        "leaving",
        "workspace_delet* delet*_workspace organization_delet* delet*_organization organisation_delet* "
        "delet*_organisation org_delet* delet*_org tenant_delet* delet*_tenant winback* win_back* exit_survey* "
        "retention_offer*",
    ),
    Entry("German", "paying", "rechnung* abrechnung* zahlung* bezahl* mahnung* ruckerstatt* rueckerstatt* kreditkart*"),
    Entry("German", "paying", "lastschrift*"),
    Entry("German", "buying", "kauf kaufen gekauft lizenz_hinzugefugt lizenz_hinzugefuegt"),
    Entry("German", "subscribing", "abo abos abonn* abokundig* abokuendig* testabo*", "newsletter*"),
    Entry("German", "renewing", "vertragsverlang* vertragsverlaeng* lizenzverlang* lizenzverlaeng* verlangert_abo"),
    Entry("German", "contracting", "vertrag vertrage vertraege vertrags*", "vorlage*"),
    Entry("German", "cancelling", "kundigung* gekundigt kundigen kuendig* gekuendigt storn*", _APPOINTMENTS),
    Entry("German", "changing the plan", "tarifwechsel* tarif_gewechselt hochgestuft herabgestuft"),
    Entry(
        "German", "ending the trial", "testphase_beendet testphase_abgelaufen testphase_ende testzeitraum_abgelaufen"
    ),
    Entry("German", "leaving", "konto_gelosch* konto_geloesch* konto_geschlossen konto_loschen konto_loeschen"),
    Entry("French", "paying", "paiement* factur* remboursement* rembourse* carte_bancaire carte_de_credit impaye*"),
    Entry("French", "buying", "achat achats achete achetee acheter"),
    Entry("French", "subscribing", "abonnement* desabonn* reabonn* s_abonner", "infolettre* newsletter*"),
    Entry("French", "renewing", "renouvel*", "certificat*"),
    Entry("French", "contracting", "contrat contrats devis"),
    Entry("French", "cancelling", "resiliation* resilie resiliee resilier annulation*", _APPOINTMENTS),
    Entry("French", "changing the plan", "changement_forfait changement_de_forfait changement_de_plan forfait_modifie"),
    Entry("French", "ending the trial", "essai_termine* essai_expire* fin_essai fin_de_l_essai fin_d_essai"),
    Entry("French", "leaving", "compte_supprime* compte_ferme* suppression_compte suppression_du_compte"),
    Entry("Spanish", "paying", "pago pagos pagado pagada impago* reembols* cobro cobros tarjeta_de_credito"),
    Entry("Spanish", "buying", "compra compras comprado comprada comprar"),
    Entry("Spanish", "subscribing", "suscripcion* suscrit* suscribi* desuscri*", "boletin*"),
    Entry("Spanish", "renewing", "renovacion* renovado renovada renovar", "certificado*"),
    Entry("Spanish", "contracting", "contrato contratos"),
    Entry("Spanish", "cancelling", "cancelacion* cancelado cancelada cancelar", f"{_APPOINTMENTS} {_OPERATIONS}"),
    Entry("Spanish", "cancelling", "dado_de_baja darse_de_baja dar_de_baja baja_solicitada"),
    Entry("Spanish", "changing the plan", "cambio_de_plan cambio_plan plan_cambiado plan_mejorado"),
    Entry("Spanish", "ending the trial", "prueba_finalizada prueba_terminada prueba_expirada fin_de_prueba"),
    Entry("Spanish", "leaving", "cuenta_eliminada cuenta_cerrada eliminar_cuenta cerrar_cuenta"),
    Entry("Portuguese", "paying", "pagamento* fatura* cobranca* boleto* estorno* inadimplen* cartao_de_credito"),
    Entry("Portuguese", "buying", "comprou comprado"),
    Entry("Portuguese", "subscribing", "assinatura*", "digital eletronica documento* email*"),
    Entry("Portuguese", "renewing", "renovacao renovou"),
    Entry("Portuguese", "cancelling", "cancelamento* cancelou", f"{_APPOINTMENTS} {_OPERATIONS}"),
    Entry("Portuguese", "changing the plan", "mudanca_de_plano plano_alterado troca_de_plano"),
    Entry("Portuguese", "ending the trial", "teste_encerrado teste_expirado fim_do_teste"),
    Entry("Portuguese", "leaving", "conta_excluida conta_encerrada excluir_conta encerrar_conta"),
    Entry("Italian", "paying", "pagament* pagato pagata fattur* rimbors* addebit* carta_di_credito"),
    Entry("Italian", "buying", "acquisto acquisti acquistato acquistata acquistare"),
    Entry("Italian", "subscribing", "abbonament* abbonato abbonata"),
    Entry("Italian", "renewing", "rinnovo rinnovi rinnovato rinnovata rinnovare", "certificato"),
    Entry("Italian", "contracting", "contratto contratti preventivo_accettato"),
    Entry("Italian", "cancelling", "disdett* disdire cancellazion* cancellato", f"{_APPOINTMENTS} {_OPERATIONS}"),
    Entry("Italian", "changing the plan", "cambio_piano cambio_di_piano piano_cambiato"),
    Entry("Italian", "ending the trial", "prova_scaduta prova_terminata fine_prova"),
    Entry("Italian", "leaving", "account_eliminato account_chiuso conto_chiuso"),
    Entry("Dutch", "paying", "factuur* facturen betaling* betaald betalen terugbetal* aanmaning* incasso*"),
    Entry("Dutch", "buying", "aankoop* gekocht licentie_toegevoegd"),
    Entry("Dutch", "contracting", "contractverleng* offerte offertes"),
    Entry("Dutch", "cancelling", "opgezegd opzegg* opzeggen geannuleerd", _APPOINTMENTS),
    Entry("Dutch", "ending the trial", "proefperiode_verlopen proefperiode_beeindigd einde_proefperiode"),
    Entry("Dutch", "leaving", "account_verwijderd account_opgeheven"),
    Entry("Polish", "paying", "platnosc* oplat* oplacon* zaplacon* faktur* zwrot_srodkow windykac* karta_kredytowa"),
    Entry("Polish", "buying", "zakup zakupy zakupion* kupion*"),
    Entry("Polish", "subscribing", "subskrypcj* abonament*"),
    Entry("Polish", "renewing", "odnowien* odnowion* przedluzen*"),
    Entry("Polish", "contracting", "umowa umowy umowe"),
    Entry("Polish", "cancelling", "anulowan* wypowiedzeni* rezygnac* zrezygnow*", _APPOINTMENTS),
    Entry("Polish", "ending the trial", "okres_probny_zakonczon* okres_probny_wygasl koniec_okresu_probnego"),
    Entry("Polish", "changing the plan", "zmiana_planu"),
    Entry("Polish", "leaving", "konto_usuniet* konto_zamkniet* usuniecie_konta"),
    Entry("Scandinavian", "paying", "betalning* betald betalt aterbetal* tilbagebetal* tilbakebetal* kreditkort*"),
    Entry("Scandinavian", "paying", "inkasso* refusjon*"),
    Entry("Scandinavian", "buying", "kopt kobt kjopt"),
    Entry("Scandinavian", "subscribing", "prenumer* avprenumer*", "nyhetsbrev*"),
    Entry("Scandinavian", "renewing", "fornyels* fornyet fornyat fornyad fornye fornya"),
    Entry("Scandinavian", "contracting", "avtal avtalet kontrakt*"),
    Entry("Scandinavian", "cancelling", "uppsagning* uppsagd uppsagt opsigels* opsagt oppsigels* oppsagt avbestall*"),
    Entry("Scandinavian", "changing the plan", "uppgrader* opgrader* oppgrader* nedgrader*", _SOFTWARE),
    Entry("Scandinavian", "ending the trial", "provperiod_slut* proveperiode_udlobet proveperiode_utlopt"),
    Entry("Scandinavian", "leaving", "konto_raderat konto_slettet konto_avslutat konto_avsluttet konto_lukket"),
    Entry("Turkish", "paying", "odeme* odendi tahsilat* iade_edildi kredi_karti*"),
    Entry("Turkish", "buying", "satin_al*"),
    Entry("Turkish", "subscribing", "abonelik* abone_ol*", "bulten*"),
    Entry("Turkish", "contracting", "sozlesme*"),
    Entry("Turkish", "cancelling", "iptal*", "toplanti* randevu* siparis* rezervasyon*"),
    Entry("Turkish", "changing the plan", "plan_yukselt* plan_degis*"),
    Entry("Turkish", "ending the trial", "deneme_bitti deneme_suresi_bitti deneme_suresi_doldu"),
    Entry("Turkish", "leaving", "hesap_silindi hesap_kapat* hesabi_sil*"),
    Entry("Russian", "paying", "оплат* оплач* платеж* счет_выставлен* возврат_средств кредитная_карта"),
    Entry("Russian", "paying", "oplata oplachen* platezh*"),
    Entry("Russian", "buying", "покупк* куплен* купил*"),
    Entry("Russian", "subscribing", "подписк* отписал* отписк* podpisk*", "рассылк* канал*"),
    Entry("Russian", "renewing", "продлен* продлит* продлил* prodlen*"),
    Entry("Russian", "contracting", "договор договора договоры dogovor*"),
    Entry("Russian", "cancelling", "отмен* расторж* расторг* otmena rastorzh*", "встреч* заказ* задач* бронир*"),
    Entry("Russian", "changing the plan", "смена_тарифа тариф_измен* смена_плана"),
    Entry("Russian", "ending the trial", "пробный_период_закончил* пробный_период_истек"),
    Entry("Russian", "leaving", "аккаунт_удален* удаление_аккаунта аккаунт_закрыт*"),
    Entry("Japanese", "paying", "支払 決済 課金 有料 返金 請求書 クレジットカード 領収書", spaced=False),
    Entry("Japanese", "paying", "shiharai seikyusho henkin"),
    Entry("Japanese", "buying", "購入", spaced=False),
    Entry("Japanese", "subscribing", "サブスク 購読 定期購入", "メルマガ", spaced=False),
    Entry("Japanese", "renewing", "自動更新 ライセンス更新 プラン更新", spaced=False),
    Entry("Japanese", "contracting", "契約 見積", spaced=False),
    Entry("Japanese", "contracting", "keiyaku"),
    Entry("Japanese", "cancelling", "解約", spaced=False),
    Entry("Japanese", "cancelling", "kaiyaku"),
    Entry("Japanese", "cancelling", "キャンセル", "予約 会議 注文 ノイズ アップロード", spaced=False),
    Entry("Japanese", "changing the plan", "アップグレード ダウングレード", "バージョン システム", spaced=False),
    Entry("Japanese", "changing the plan", "プラン変更", spaced=False),
    Entry("Japanese", "ending the trial", "トライアル終了 試用終了 無料期間終了 体験終了", spaced=False),
    Entry("Japanese", "leaving", "退会 アカウント削除", spaced=False),
    Entry("Chinese", "paying", "付款 支付 付费 付費 账单 帳單 賬單 发票 發票 退款 信用卡 充值 扣款", spaced=False),
    Entry("Chinese", "paying", "fukuan tuikuan zhangdan fapiao"),
    Entry("Chinese", "buying", "购买 購買", spaced=False),
    Entry("Chinese", "subscribing", "订阅 訂閱 退订 退訂", "频道 頻道 邮件 郵件", spaced=False),
    Entry("Chinese", "renewing", "续费 續費 续订 續訂 续约 續約", spaced=False),
    Entry("Chinese", "renewing", "xufei"),
    Entry("Chinese", "contracting", "合同 合约 合約 报价 報價", spaced=False),
    Entry("Chinese", "changing the plan", "升级 升級 降级 降級", "版本 系统 系統 固件", spaced=False),
    Entry("Chinese", "changing the plan", "套餐变更 套餐變更", spaced=False),
    Entry("Chinese", "ending the trial", "试用结束 試用結束 试用到期 試用到期", spaced=False),
    Entry(
        "Chinese", "leaving", "注销账号 注销账户 註銷帳號 註銷帳戶 删除账户 删除账号 刪除帳戶 刪除帳號", spaced=False
    ),
)
