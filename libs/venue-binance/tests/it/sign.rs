//! `rest-api.md` and `web-socket-api.md`, "SIGNED request security": the published vectors, both ways.

use crate::{data, ms};
use serde_json::Value;
use std::fs;
use venue_binance::{
    params::Params,
    request::{self, Signing},
    sign::{KeyError, Signer, Verifier},
};

fn published() -> Value {
    let text = fs::read_to_string(data("binance-samples/binance_docs_vectors.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn published_hmac_vectors_verify_both_ways() {
    let published = published();
    let signer = Signer::hmac(published["secretKey"].as_str().unwrap()).unwrap();
    let vectors = published["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 4);
    for vector in vectors {
        let (payload, signature) =
            (vector["payload"].as_str().unwrap(), vector["signature"].as_str().unwrap());
        assert_eq!(signer.sign(payload), signature, "{}", vector["case"]);
        let verifier = signer.verifier();
        assert!(verifier.verify(payload, signature));
        assert!(verifier.verify(payload, &signature.to_uppercase()), "digits of either case");
        assert!(!verifier.verify(&format!("{payload} "), signature));
        assert!(!verifier.verify(payload, &signature[2..]) && !verifier.verify(payload, "zz"));
    }
}

fn order(symbol: &str, quantity: &str, price: &str, side: &str) -> Params {
    Params::default()
        .with("symbol", symbol)
        .with("side", side)
        .with("type", "LIMIT")
        .with("timeInForce", "GTC")
        .with("quantity", quantity)
        .with("price", price)
}

#[test]
fn canonical_forms_are_those_of_the_published_vectors() {
    let published = published();
    let payload = |n: usize| published["vectors"][n]["payload"].as_str().unwrap();
    let key = published["apiKey"].as_str().unwrap();
    let rest = |symbol| {
        let params = order(symbol, "1", "0.1", "BUY");
        params.with("recvWindow", 5_000_u32).with("timestamp", 1_499_827_319_559_i64).query()
    };
    assert_eq!(rest("LTCBTC"), payload(0));
    assert_eq!(rest("１２３４５６"), payload(1));
    let ws = |params: Params, window: u32| {
        let params = params.with("recvWindow", window).with("timestamp", 1_645_423_376_532_i64);
        params.with("apiKey", key).sorted()
    };
    assert_eq!(ws(order("BTCUSDT", "0.01000000", "52000.00", "SELL"), 100), payload(2));
    assert_eq!(ws(order("１２３４５６", "1.00000000", "0.10000000", "BUY"), 5_000), payload(3));
}

/// RFC 8032, 7.1, TEST 1.
const SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
const PUBLIC: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
const OF_NOTHING: &str = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// As OpenSSL writes it: PKCS#8 without the public half.
fn private_pem() -> String {
    let der = [unhex("302e020100300506032b657004220420"), unhex(SEED)].concat();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", base64(&der))
}

fn public_pem(head: &str) -> String {
    let der = [unhex(head), unhex(PUBLIC)].concat();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", base64(&der))
}

#[test]
fn ed25519_agrees_with_rfc_8032_both_ways() {
    let signer = Signer::from_secret(&private_pem()).unwrap();
    let signature = signer.sign("");
    assert_eq!(signature, base64(&unhex(OF_NOTHING)));
    let verifier = Verifier::ed25519(&public_pem("302a300506032b6570032100")).unwrap();
    for verifier in [verifier, signer.verifier()] {
        assert!(verifier.verify("", &signature));
        assert!(!verifier.verify("x", &signature) && !verifier.verify("", "no base64"));
    }
}

#[test]
fn ed25519_signatures_are_percent_encoded_in_a_query_and_raw_in_json() {
    let signer = Signer::from_secret(&private_pem()).unwrap();
    let signing =
        Signing { api_key: "key", signer: &signer, timestamp: ms(1_700_000_000_000), recv_window_ms: 5_000 };
    let target = request::account().rest(&signing).target;
    let (payload, signature) =
        target.strip_prefix("/api/v3/account?").unwrap().split_once("&signature=").unwrap();
    assert!(!signature.contains(['+', '/', '=']) && signature.ends_with("%3D%3D"), "{signature}");
    let decoded = signature.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
    assert!(signer.verifier().verify(payload, &decoded));
    let session: Value = serde_json::from_str(&request::subscribe_user_data("1", &signing)).unwrap();
    let payload = "apiKey=key&recvWindow=5000&timestamp=1700000000000";
    assert!(signer.verifier().verify(payload, session["params"]["signature"].as_str().unwrap()));
}

#[test]
fn bad_keys_are_refused_and_no_key_is_ever_shown() {
    assert_eq!(Signer::hmac(" ").unwrap_err(), KeyError::Empty);
    let wrong = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----";
    let error = Signer::from_secret(wrong).unwrap_err();
    assert!(error == KeyError::NoPrivateKey && !error.to_string().contains("c2VjcmV0"));
    assert_eq!(
        Verifier::ed25519(&public_pem("302a300506032b6571032100")).unwrap_err(),
        KeyError::NoPublicKey
    );
    for shown in [
        format!("{:?}", Signer::hmac("s3cret").unwrap()),
        format!("{:?}", Signer::hmac("s3cret").unwrap().verifier()),
    ] {
        assert!(!shown.contains("s3cret"), "{shown}");
    }
    let signer = Signer::hmac("s3cret").unwrap();
    let signing = Signing { api_key: "the-key", signer: &signer, timestamp: ms(1), recv_window_ms: 5_000 };
    let request = request::account().rest(&signing);
    let shown = format!("{request:?}");
    assert!(!shown.contains("the-key") && !shown.contains("signature"), "{shown}");
}
