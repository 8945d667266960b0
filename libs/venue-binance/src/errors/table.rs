//! Every documented error code (Binance's `errors.md`), from the highest number down.

use super::{Retry, Verdict};
use events::Rejection;

/// A code, Binance's name of it, and what it means.
#[derive(Debug, Clone, Copy)]
pub struct Known(pub i64, pub &'static str, pub Meaning);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    Is(Verdict),
    /// Refused before the engine, for the reason that the text gives.
    DoorText,
    /// Rejected by the engine, for the reason that the text gives.
    EngineText,
}

const REFUSED: Meaning = Meaning::Is(Verdict::Refused(Rejection::Other));
const FILTER: Meaning = Meaning::Is(Verdict::Refused(Rejection::Filter));
const UNKNOWN: Meaning = Meaning::Is(Verdict::Unknown);
const FATAL: Meaning = Meaning::Is(Verdict::Fatal);

const fn retry(why: Retry) -> Meaning {
    Meaning::Is(Verdict::Retry(why))
}

pub fn meaning(code: i64) -> Option<Meaning> {
    find(code).map(|known| known.2)
}

pub fn name(code: i64) -> Option<&'static str> {
    find(code).map(|known| known.1)
}

fn find(code: i64) -> Option<&'static Known> {
    KNOWN.binary_search_by(|known| code.cmp(&known.0)).ok().map(|at| &KNOWN[at])
}

#[rustfmt::skip]
pub const KNOWN: &[Known] = &[
    Known(-1000, "UNKNOWN", UNKNOWN),
    Known(-1001, "DISCONNECTED", UNKNOWN),
    Known(-1002, "UNAUTHORIZED", FATAL),
    Known(-1003, "TOO_MANY_REQUESTS", retry(Retry::Limit)),
    Known(-1006, "UNEXPECTED_RESP", UNKNOWN),
    Known(-1007, "TIMEOUT", UNKNOWN),
    Known(-1008, "SERVER_BUSY", retry(Retry::Busy)),
    Known(-1010, "ERROR_MSG_RECEIVED", Meaning::EngineText),
    Known(-1013, "INVALID_MESSAGE", Meaning::DoorText),
    Known(-1014, "UNKNOWN_ORDER_COMPOSITION", REFUSED),
    Known(-1015, "TOO_MANY_ORDERS", retry(Retry::Orders)),
    Known(-1016, "SERVICE_SHUTTING_DOWN", retry(Retry::Busy)),
    Known(-1020, "UNSUPPORTED_OPERATION", REFUSED),
    Known(-1021, "INVALID_TIMESTAMP", retry(Retry::OutsideWindow)),
    Known(-1022, "INVALID_SIGNATURE", FATAL),
    Known(-1033, "COMP_ID_IN_USE", REFUSED),
    Known(-1034, "TOO_MANY_CONNECTIONS", retry(Retry::Limit)),
    Known(-1035, "LOGGED_OUT", REFUSED),
    Known(-1100, "ILLEGAL_CHARS", REFUSED),
    Known(-1101, "TOO_MANY_PARAMETERS", REFUSED),
    Known(-1102, "MANDATORY_PARAM_EMPTY_OR_MALFORMED", REFUSED),
    Known(-1103, "UNKNOWN_PARAM", REFUSED),
    Known(-1104, "UNREAD_PARAMETERS", REFUSED),
    Known(-1105, "PARAM_EMPTY", REFUSED),
    Known(-1106, "PARAM_NOT_REQUIRED", REFUSED),
    Known(-1108, "PARAM_OVERFLOW", FILTER),
    Known(-1111, "BAD_PRECISION", FILTER),
    Known(-1112, "NO_DEPTH", REFUSED),
    Known(-1114, "TIF_NOT_REQUIRED", REFUSED),
    Known(-1115, "INVALID_TIF", REFUSED),
    Known(-1116, "INVALID_ORDER_TYPE", REFUSED),
    Known(-1117, "INVALID_SIDE", REFUSED),
    Known(-1118, "EMPTY_NEW_CL_ORD_ID", REFUSED),
    Known(-1119, "EMPTY_ORG_CL_ORD_ID", REFUSED),
    Known(-1120, "BAD_INTERVAL", REFUSED),
    Known(-1121, "BAD_SYMBOL", Meaning::Is(Verdict::Refused(Rejection::UnknownInstrument))),
    Known(-1122, "INVALID_SYMBOLSTATUS", REFUSED),
    Known(-1125, "INVALID_LISTEN_KEY", REFUSED),
    Known(-1127, "MORE_THAN_XX_HOURS", REFUSED),
    Known(-1128, "OPTIONAL_PARAMS_BAD_COMBO", REFUSED),
    Known(-1130, "INVALID_PARAMETER", REFUSED),
    Known(-1134, "BAD_STRATEGY_TYPE", REFUSED),
    Known(-1135, "INVALID_JSON", REFUSED),
    Known(-1139, "INVALID_TICKER_TYPE", REFUSED),
    Known(-1145, "INVALID_CANCEL_RESTRICTIONS", REFUSED),
    Known(-1151, "DUPLICATE_SYMBOLS", REFUSED),
    Known(-1152, "INVALID_SBE_HEADER", REFUSED),
    Known(-1153, "UNSUPPORTED_SCHEMA_ID", REFUSED),
    Known(-1155, "SBE_DISABLED", REFUSED),
    Known(-1158, "OCO_ORDER_TYPE_REJECTED", REFUSED),
    Known(-1160, "OCO_ICEBERGQTY_TIMEINFORCE", REFUSED),
    Known(-1161, "DEPRECATED_SCHEMA", REFUSED),
    Known(-1165, "BUY_OCO_LIMIT_MUST_BE_BELOW", REFUSED),
    Known(-1166, "SELL_OCO_LIMIT_MUST_BE_ABOVE", REFUSED),
    Known(-1168, "BOTH_OCO_ORDERS_CANNOT_BE_LIMIT", REFUSED),
    Known(-1169, "INVALID_TAG_NUMBER", REFUSED),
    Known(-1170, "TAG_NOT_DEFINED_IN_MESSAGE", REFUSED),
    Known(-1171, "TAG_APPEARS_MORE_THAN_ONCE", REFUSED),
    Known(-1172, "TAG_OUT_OF_ORDER", REFUSED),
    Known(-1173, "GROUP_FIELDS_OUT_OF_ORDER", REFUSED),
    Known(-1174, "INVALID_COMPONENT", REFUSED),
    Known(-1175, "RESET_SEQ_NUM_SUPPORT", REFUSED),
    Known(-1176, "ALREADY_LOGGED_IN", REFUSED),
    Known(-1177, "GARBLED_MESSAGE", REFUSED),
    Known(-1178, "BAD_SENDER_COMPID", REFUSED),
    Known(-1179, "BAD_SEQ_NUM", REFUSED),
    Known(-1180, "EXPECTED_LOGON", REFUSED),
    Known(-1181, "TOO_MANY_MESSAGES", retry(Retry::Limit)),
    Known(-1182, "PARAMS_BAD_COMBO", REFUSED),
    Known(-1183, "NOT_ALLOWED_IN_DROP_COPY_SESSIONS", REFUSED),
    Known(-1184, "DROP_COPY_SESSION_NOT_ALLOWED", REFUSED),
    Known(-1185, "DROP_COPY_SESSION_REQUIRED", REFUSED),
    Known(-1186, "NOT_ALLOWED_IN_ORDER_ENTRY_SESSIONS", REFUSED),
    Known(-1187, "NOT_ALLOWED_IN_MARKET_DATA_SESSIONS", REFUSED),
    Known(-1188, "INCORRECT_NUM_IN_GROUP_COUNT", REFUSED),
    Known(-1189, "DUPLICATE_ENTRIES_IN_A_GROUP", REFUSED),
    Known(-1190, "INVALID_REQUEST_ID", REFUSED),
    Known(-1191, "TOO_MANY_SUBSCRIPTIONS", retry(Retry::Busy)),
    Known(-1194, "INVALID_TIME_UNIT", REFUSED),
    Known(-1196, "BUY_OCO_STOP_LOSS_MUST_BE_ABOVE", REFUSED),
    Known(-1197, "SELL_OCO_STOP_LOSS_MUST_BE_BELOW", REFUSED),
    Known(-1198, "BUY_OCO_TAKE_PROFIT_MUST_BE_BELOW", REFUSED),
    Known(-1199, "SELL_OCO_TAKE_PROFIT_MUST_BE_ABOVE", REFUSED),
    Known(-1210, "INVALID_PEG_PRICE_TYPE", REFUSED),
    Known(-1211, "INVALID_PEG_OFFSET_TYPE", REFUSED),
    Known(-1220, "SYMBOL_DOES_NOT_MATCH_STATUS", REFUSED),
    Known(-1221, "INVALID_SBE_MESSAGE_FIELD", REFUSED),
    Known(-1222, "OPO_WORKING_MUST_BE_BUY", REFUSED),
    Known(-1223, "OPO_PENDING_MUST_BE_SELL", REFUSED),
    Known(-1224, "WORKING_PARAM_REQUIRED", REFUSED),
    Known(-1225, "PENDING_PARAM_NOT_REQUIRED", REFUSED),
    Known(-2010, "NEW_ORDER_REJECTED", Meaning::EngineText),
    Known(-2011, "CANCEL_REJECTED", Meaning::EngineText),
    Known(-2013, "NO_SUCH_ORDER", Meaning::Is(Verdict::NotFound)),
    Known(-2014, "BAD_API_KEY_FMT", FATAL),
    Known(-2015, "REJECTED_MBX_KEY", FATAL),
    Known(-2016, "NO_TRADING_WINDOW", REFUSED),
    Known(-2021, "ORDER_CANCEL_REPLACE_PARTIALLY_FAILED", UNKNOWN),
    Known(-2022, "ORDER_CANCEL_REPLACE_FAILED", UNKNOWN),
    Known(-2026, "ORDER_ARCHIVED", Meaning::Is(Verdict::Rejected(Rejection::Other))),
    Known(-2035, "SUBSCRIPTION_ACTIVE", REFUSED),
    Known(-2036, "SUBSCRIPTION_INACTIVE", REFUSED),
    Known(-2038, "ORDER_AMEND_REJECTED", Meaning::EngineText),
    Known(-2039, "CLIENT_ORDER_ID_INVALID", REFUSED),
    Known(-2042, "MAXIMUM_SUBSCRIPTION_IDS", retry(Retry::Busy)),
];
