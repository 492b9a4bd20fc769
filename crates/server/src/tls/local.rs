//! A local authority: a key of the data folder's own that signs the certificate
//! of this service, for who trusts it.
//!
//! The authority is kept, so that clients are told to trust it once. The
//! certificate that it signs is made anew at each start and long before it
//! ends, with the names that the service has then; it is in memory alone.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use p256::SecretKey;
use p256::pkcs8::EncodePrivateKey;
use rcgen::string::Ia5String;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, SanType, date_time_ymd,
};
use sha2::{Digest, Sha256};
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::sign::CertifiedKey;

use crate::clock::Random;
use crate::folder::{Error, Folder, new_key};

/// The authority's certificate, for clients to trust, and its key.
const CERTIFICATE_FILE: &str = "local-authority.pem";
const KEY_FILE: &str = "local-authority-key.pem";

/// How long the authority holds, in years. Clients look at what they trust by
/// hand less closely; a key that is no longer wanted is removed with its file.
const AUTHORITY_YEARS: i16 = 30;

/// How long a certificate of the service holds, in days. Apple's clients refuse
/// more than 825 of any authority, and more than 398 of one that comes with the system.
const DAYS: i32 = 90;

/// After how many days there is a new one.
const RENEWED: i32 = 60;

/// The folder's authority, and what the service shows of it.
pub(super) struct Local {
    authority: Authority,
    names: Vec<SanType>,
    random: Arc<dyn Random>,
    /// From this day on there is to be a new certificate.
    renew: Date,
}

struct Authority {
    file: PathBuf,
    params: CertificateParams,
    key: KeyPair,
}

impl Local {
    /// The authority of this folder, made where there is none, and a first certificate.
    pub fn open(
        folder: &Folder,
        names: Vec<SanType>,
        now: Timestamp,
        random: Arc<dyn Random>,
        provider: &CryptoProvider,
    ) -> Result<(Self, CertifiedKey), String> {
        let authority = Authority::open(folder, day(now), &*random, provider)?;
        let mut local = Self { authority, names, random, renew: Date::MIN };
        let first = local.sign(day(now), provider)?;
        Ok((local, first))
    }

    /// The authority's certificate.
    pub fn authority(&self) -> &Path {
        &self.authority.file
    }

    /// The certificate to show instead, once the one before has been shown for long enough.
    pub fn next(
        &mut self,
        now: Timestamp,
        provider: &CryptoProvider,
    ) -> Option<Result<CertifiedKey, String>> {
        (day(now) >= self.renew).then(|| self.sign(day(now), provider))
    }

    fn sign(&mut self, today: Date, provider: &CryptoProvider) -> Result<CertifiedKey, String> {
        // If it cannot be done today, it is tried again tomorrow.
        self.renew = later(today, 1);
        let key = pair(&new_key(&*self.random))?;
        let Authority { params, key: own, .. } = &self.authority;
        let signed = certificate(&self.names, today)
            .signed_by(&key, &Issuer::from_params(params, own))
            .map_err(unsigned)?;
        self.renew = later(today, RENEWED);
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        CertifiedKey::from_der(vec![signed.into()], key, provider)
            .map_err(|error| format!("The local certificate cannot be used: {error}."))
    }
}

impl Authority {
    /// The one that the folder keeps. A certificate that is gone is made for the
    /// same key, and so for who trusts the former one; a key that is gone takes
    /// its certificate with it.
    fn open(
        folder: &Folder,
        today: Date,
        random: &dyn Random,
        provider: &CryptoProvider,
    ) -> Result<Self, String> {
        let kept = folder.kept_key(KEY_FILE).map_err(told)?;
        let certificate = folder.kept(CERTIFICATE_FILE).map_err(told)?.filter(|_| kept.is_some());
        let key = kept.map_or_else(|| make_key(folder, random), Ok)?;
        let key = pair(&key)?;
        let params = authority(&key, today);
        let file = folder.path().join(CERTIFICATE_FILE);
        if let Some(pem) = certificate {
            check(&pem, &key, provider).map_err(|()| not_its_own(folder))?;
        } else {
            let made: Certificate = params.self_signed(&key).map_err(unsigned)?;
            folder.keep(CERTIFICATE_FILE, made.pem().as_bytes()).map_err(told)?;
        }
        // Clients are told where it is, wherever they run.
        let file = std::path::absolute(&file).unwrap_or(file);
        Ok(Self { file, params, key })
    }
}

fn make_key(folder: &Folder, random: &dyn Random) -> Result<SecretKey, String> {
    let key = new_key(random);
    folder.keep_key(KEY_FILE, &key).map_err(told)?;
    Ok(key)
}

/// Whether this is the certificate of this key.
fn check(pem: &str, key: &KeyPair, provider: &CryptoProvider) -> Result<(), ()> {
    let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| ())?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    CertifiedKey::from_der(vec![certificate], key, provider).map(|_| ()).map_err(|_| ())
}

fn not_its_own(folder: &Folder) -> String {
    let file = |name| folder.path().join(name).display().to_string();
    format!(
        "{}, the certificate that clients trust, is not that of the key in {}. Remove it, and the \
         next `rollcall serve` makes it anew.",
        file(CERTIFICATE_FILE),
        file(KEY_FILE)
    )
}

/// The names under which a service that listens here is reached on this
/// machine, and on others if they can reach it.
pub(super) fn names(listen: IpAddr, host: Option<&str>) -> Vec<SanType> {
    let mut names = vec![
        name("localhost"),
        name("127.0.0.1"),
        name("::1"),
        (!listen.is_unspecified()).then_some(SanType::IpAddress(listen)),
        host.and_then(name),
    ];
    if !listen.is_loopback() {
        names.push(gethostname::gethostname().to_str().and_then(name));
    }
    let mut different: Vec<SanType> = Vec::new();
    for name in names.into_iter().flatten() {
        if !different.contains(&name) {
            different.push(name);
        }
    }
    different
}

fn name(host: &str) -> Option<SanType> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(address) => Some(SanType::IpAddress(address)),
        Err(_) => Ia5String::try_from(bare).ok().filter(|_| !bare.is_empty()).map(SanType::DnsName),
    }
}

/// What the authority says of itself. All but its days follows from its key.
fn authority(key: &KeyPair, today: Date) -> CertificateParams {
    let mut params = CertificateParams::default();
    let digest = Sha256::digest(key.public_key_raw());
    let name = format!("Rollcall local authority {:02x}{:02x}", digest[0], digest[1]);
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let last = today.checked_add(AUTHORITY_YEARS.years()).unwrap_or(Date::MAX);
    holding(params, later(today, -1), last)
}

fn certificate(names: &[SanType], today: Date) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Rollcall");
    params.subject_alt_names = names.to_vec();
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    // From the day before: the clocks of clients may be behind.
    holding(params, later(today, -1), later(today, DAYS - 1))
}

fn holding(mut params: CertificateParams, first: Date, last: Date) -> CertificateParams {
    let at = |day: Date| {
        let part = |number: i8| u8::try_from(number).unwrap_or(1);
        date_time_ymd(day.year().into(), part(day.month()), part(day.day()))
    };
    (params.not_before, params.not_after) = (at(first), at(last));
    params
}

fn pair(key: &SecretKey) -> Result<KeyPair, String> {
    let der = key.to_pkcs8_der().map_err(unsigned)?;
    KeyPair::try_from(der.as_bytes()).map_err(unsigned)
}

#[expect(clippy::needless_pass_by_value, reason = "an error on its way out")]
fn told(error: Error) -> String {
    error.to_string()
}

fn unsigned(error: impl std::fmt::Display) -> String {
    format!("A certificate of the local authority cannot be made: {error}.")
}

fn day(now: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(now).date()
}

fn later(day: Date, days: i32) -> Date {
    day.checked_add(days.days()).unwrap_or(day)
}
