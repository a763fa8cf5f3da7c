//! Ed25519 keys and the files that they are in: PKCS#8 PEM for the private one, SPKI PEM for public ones.

use std::fmt;
use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey};
use ed25519_dalek::{SigningKey, VerifyingKey};
use jsonwebtoken::jwk::{
    AlgorithmParameters, CommonParameters, EllipticCurve, Jwk, OctetKeyPairParameters, OctetKeyPairType, ThumbprintHash,
};
use rand::TryRng;
use rand::rngs::SysRng;
use zeroize::Zeroizing;

use crate::secret::Secret;

const MAX_KEY_FILE_BYTES: u64 = 64 * 1024;
const PUBLIC_BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const PUBLIC_END: &str = "-----END PUBLIC KEY-----";

/// Why a key could not be had. Never says what is in it.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file could not be read or written.
    #[error("cannot {what} the key file {}", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Others could read the private key.
    #[error("the private key {} can be read by others (mode {mode:04o}): run `chmod 600 {}`", path.display(), path.display())]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The file is not a plain file of a key's size.
    #[error("{} is not a key file", path.display())]
    NotAKeyFile {
        /// The file.
        path: PathBuf,
    },
    /// What was given is not such a key.
    #[error("not an Ed25519 private key in PKCS#8 PEM form (`-----BEGIN PRIVATE KEY-----`)")]
    BadPrivateKey,
    /// What was given is not such a key.
    #[error("not an Ed25519 public key in PEM form (`-----BEGIN PUBLIC KEY-----`)")]
    BadPublicKey,
    /// The system has no randomness to give.
    #[error("the system gave no random bytes for a new key")]
    NoRandomness,
}

/// The key that signs tokens.
pub struct PrivateKey(SigningKey);

impl PrivateKey {
    /// A new key.
    pub fn generate() -> Result<Self, KeyError> {
        let mut seed = Zeroizing::new([0; 32]);
        SysRng.try_fill_bytes(&mut *seed).map_err(|_| KeyError::NoRandomness)?;
        Ok(Self(SigningKey::from_bytes(&seed)))
    }

    /// The key in a PKCS#8 PEM text.
    pub fn from_pem(pem: &Secret) -> Result<Self, KeyError> {
        SigningKey::from_pkcs8_pem(pem.expose().trim()).map(Self).map_err(|_| KeyError::BadPrivateKey)
    }

    /// The key in a file, which nobody but its owner may be able to read.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let failed = |source| KeyError::File { what: "read", path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        // Asked of the open file, so that it is the same one.
        let about = file.metadata().map_err(failed)?;
        if !about.is_file() || about.len() > MAX_KEY_FILE_BYTES {
            return Err(KeyError::NotAKeyFile { path: path.to_owned() });
        }
        if about.mode() & 0o077 != 0 {
            return Err(KeyError::OpenToOthers { path: path.to_owned(), mode: about.mode() & 0o7777 });
        }
        let mut pem = Zeroizing::new(Vec::new());
        file.take(MAX_KEY_FILE_BYTES).read_to_end(&mut pem).map_err(failed)?;
        let pem = std::str::from_utf8(&pem).map_err(|_| KeyError::BadPrivateKey)?;
        Self::from_pem(&Secret::new(pem.to_owned()))
    }

    /// The key in the file, or a new one that is there afterwards. An existing file is never written over, and two
    /// processes that do this at once end up with the same key.
    pub fn read_or_create(path: &Path) -> Result<Self, KeyError> {
        match Self::read(path) {
            Err(KeyError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                let key = Self::generate()?;
                match key.write_new(path) {
                    Err(KeyError::File { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists => {
                        Self::read(path)
                    }
                    written => written.map(|()| key),
                }
            }
            read => read,
        }
    }

    /// Writes the key to a file that is not there yet, for its owner only. It is there whole or not at all.
    pub fn write_new(&self, path: &Path) -> Result<(), KeyError> {
        let failed = |source| KeyError::File { what: "write", path: path.to_owned(), source };
        let pem = self.pem()?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file =
            tempfile::Builder::new().permissions(Permissions::from_mode(0o600)).tempfile_in(folder).map_err(failed)?;
        file.write_all(pem.expose().as_bytes()).map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        file.persist_noclobber(path).map_err(|error| failed(error.error))?;
        // The name is on disk only when the folder is.
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
    }

    /// The key as PKCS#8 PEM.
    pub fn pem(&self) -> Result<Secret, KeyError> {
        let pem = self.0.to_pkcs8_pem(LineEnding::LF).map_err(|_| KeyError::BadPrivateKey)?;
        Ok(Secret::new(pem.as_str().to_owned()))
    }

    /// The key that verifies what this one signs.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    pub(super) fn to_der(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let der = self.0.to_pkcs8_der().map_err(|_| KeyError::BadPrivateKey)?;
        Ok(Zeroizing::new(der.as_bytes().to_vec()))
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({})", self.public().kid())
    }
}

/// A key that verifies tokens.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// All keys in a PEM text, at least one. What stands between the keys is comment.
    pub fn all_from_pem(pem: &str) -> Result<Vec<Self>, KeyError> {
        let mut keys = Vec::new();
        let mut rest = pem;
        while let Some(begin) = rest.find(PUBLIC_BEGIN) {
            rest = &rest[begin..];
            let end = rest.find(PUBLIC_END).ok_or(KeyError::BadPublicKey)? + PUBLIC_END.len();
            keys.push(Self::from_one_pem(&rest[..end])?);
            rest = &rest[end..];
        }
        if keys.is_empty() { Err(KeyError::BadPublicKey) } else { Ok(keys) }
    }

    /// All keys in a file, at least one.
    pub fn read_all(path: &Path) -> Result<Vec<Self>, KeyError> {
        let failed = |source| KeyError::File { what: "read", path: path.to_owned(), source };
        let about = fs::metadata(path).map_err(failed)?;
        if !about.is_file() || about.len() > MAX_KEY_FILE_BYTES {
            return Err(KeyError::NotAKeyFile { path: path.to_owned() });
        }
        let bytes = fs::read(path).map_err(failed)?;
        Self::all_from_pem(std::str::from_utf8(&bytes).map_err(|_| KeyError::BadPublicKey)?)
    }

    /// The key as SPKI PEM.
    pub fn pem(&self) -> Result<String, KeyError> {
        self.0.to_public_key_pem(LineEnding::LF).map_err(|_| KeyError::BadPublicKey)
    }

    /// The name by which a token says which key signed it: the key's RFC 7638 thumbprint.
    pub fn kid(&self) -> String {
        let parameters = OctetKeyPairParameters {
            key_type: OctetKeyPairType::OctetKeyPair,
            curve: EllipticCurve::Ed25519,
            x: URL_SAFE_NO_PAD.encode(self.0.as_bytes()),
        };
        let jwk = Jwk { common: CommonParameters::default(), algorithm: AlgorithmParameters::OctetKeyPair(parameters) };
        jwk.thumbprint(ThumbprintHash::SHA256).unwrap_or_default()
    }

    pub(super) fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    fn from_one_pem(pem: &str) -> Result<Self, KeyError> {
        let key = VerifyingKey::from_public_key_pem(pem).map_err(|_| KeyError::BadPublicKey)?;
        // A weak key is one for which anyone can make signatures.
        if key.is_weak() { Err(KeyError::BadPublicKey) } else { Ok(Self(key)) }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.kid())
    }
}
