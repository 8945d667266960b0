//! `rest-api.md`, "RSA Keys": RSASSA-PKCS1-v1_5 with SHA-256, keys in PEM (PKCS#8).

use testkit::{RSA_PRIVATE as PRIVATE, RSA_PUBLIC as PUBLIC};
use venue_binance::sign::{KeyError, Signer, Verifier};

/// Of 1024 bits.
const SHORT: &str = "-----BEGIN PRIVATE KEY-----
MIICdwIBADANBgkqhkiG9w0BAQEFAASCAmEwggJdAgEAAoGBAKI6Jo6rusS9yg0c
vCM9dp2pGtr1WwjoftzFXGcWDGHOJyeLL1H0sEDb4HmcRs9mCmKJs7zRstoHvKT1
feie99hMbujCM3A0rWrBn+sLhXIJGRBoheAku+IyzdATa7U5X6v9kNOvGkFI+GI6
TkuLXixoVtZVmHbQpcuosCoMaOgNAgMBAAECgYAYfl0p92XIpLsoBammTHZnUYv7
eUYYbzoQTUApVFvkPIMO5mXrot0lvc0Dr4PFdqukuxPHM4YkgzyJT4OGJtJWuXmu
JN1TbSgt0pJgm1JmdEzcyddlDFwWDKlBq8MARYtIOj4nyqhDvVv7OIqlswBrN44V
5qXR6SPIZZg7BGMEhQJBANdcwF+S+Fi6R4mZfZKysmJdluf1cZ/N6K6n0gOhOvOD
gIgliCwOQZQfZ1rsoDgW68a95vSHyIZmSW4wumnFPaMCQQDA1qmtfLtfJ7WUy7HB
SiBQx0uw8H763/5PGoXPTSeMD7ZFuk5c1T6BtN++3UB8Beu/PQ2UCh7vreo/p+jN
Wj6PAkEAk6sUeTQkN2qbLL1jPhhrekkj9S711xZwKnoF5dlCu8B6fGAHy/WGf9M8
ojrH7U3CI0cJOrh0BbvTM8wTtfy5swJAOqYO3PC+m+Yb17FL0pmU0nyKjLnYJLzT
P4O1hqLUkEiHCxXql1lTtWcpVYc9AXtbg8IxywB5ADRItit/JlV4CQJBAMr5rHjo
hnBbrSm+lpYviC6au2jk7qwppZDhu2nHDts4FZTOqNdNaAHApR1jTIOrpKe5i7yp
WexKpH5EAcmutvM=
-----END PRIVATE KEY-----
";
const SHORT_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCiOiaOq7rEvcoNHLwjPXadqRra
9VsI6H7cxVxnFgxhzicniy9R9LBA2+B5nEbPZgpiibO80bLaB7yk9X3onvfYTG7o
wjNwNK1qwZ/rC4VyCRkQaIXgJLviMs3QE2u1OV+r/ZDTrxpBSPhiOk5Li14saFbW
VZh20KXLqLAqDGjoDQIDAQAB
-----END PUBLIC KEY-----
";
/// The documentation's example.
const PAYLOAD: &str = "symbol=BTCUSDT&side=SELL&type=LIMIT&timeInForce=GTC&quantity=1&price=0.2&timestamp=1668481559918&recvWindow=5000";
/// By `openssl dgst -sha256 -sign`, in base64.
const SIGNATURE: &str = "df/ZLxdjg/4rA9eMuhJyd7BvCXh6PGvvCTYi2PgDKy3firsZu8wd+pqvp5HhbyF9ds2u7KUQAm8nTt5z7OmBQl8K+MtLhNKW\
    UaXMYh7GIxQVPqoyfKIu6Gfym803sIMi+TMhjKJ0q++ZyQGJuxJikZAJx701cOrHPB14aEgon4kDfK+JWbHR+tH3Abh4yfcy\
    Ag15hI4+M09bAFW0jEKrtmma6rBaWD2IHgcErej4bjBbvpUjSB3v/Qlpg47HZESlvWAV90o4EITPX7jR1ZcKTVZQ2abKtz7o\
    YuQHO16lvsjrEvwyiYVvQnBNhLIe74ZDQCFb/iXtRAGXcfUkuR0itQ==";

#[test]
fn rsa_signatures_are_those_of_openssl_both_ways() {
    let signer = Signer::from_secret(PRIVATE).unwrap();
    assert_eq!(signer.sign(PAYLOAD), SIGNATURE);
    for verifier in [signer.verifier(), Verifier::from_public(PUBLIC).unwrap()] {
        assert!(verifier.verify(PAYLOAD, SIGNATURE));
        assert!(!verifier.verify(&format!("{PAYLOAD}0"), SIGNATURE));
        assert!(!verifier.verify(PAYLOAD, &SIGNATURE[4..]) && !verifier.verify(PAYLOAD, ""));
    }
    assert_eq!(format!("{signer:?} {:?}", signer.verifier()), "Signer(RSA, …) Verifier(RSA, …)");
}

#[test]
fn rsa_keys_that_binance_does_not_take_are_refused() {
    assert_eq!(Signer::from_secret(SHORT).unwrap_err(), KeyError::NoPrivateKey, "1024 bits");
    assert_eq!(Verifier::from_public(SHORT_PUBLIC).unwrap_err(), KeyError::NoPublicKey, "1024 bits");
    assert_eq!(Verifier::from_public(PRIVATE).unwrap_err(), KeyError::NoPublicKey);
    assert_eq!(Signer::from_secret(PUBLIC).unwrap_err(), KeyError::NoPrivateKey);
    let old = PRIVATE.replace("PRIVATE KEY", "RSA PRIVATE KEY");
    assert_eq!(Signer::from_secret(&old).unwrap_err(), KeyError::NoPrivateKey, "PKCS#1");
    for cut in (0..PUBLIC.len()).step_by(7) {
        assert!(Verifier::from_public(&PUBLIC[..cut]).is_err(), "{cut}");
    }
}
