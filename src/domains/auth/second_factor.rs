//! A second factor: one-time codes of an authenticator app (TOTP, RFC 6238), and recovery codes for when it is lost.

use std::net::IpAddr;

use totp_rs::{Builder, Totp};

use super::dto::{Authenticator, ConfirmSecondFactor, EnrolSecondFactor, RecoveryCodes, SecondFactorProof};
use super::entities::{recovery_code, second_factor};
use super::error::Error;
use super::mails;
use super::repository;
use super::service::Service;
use super::sessions::person;
use crate::common::{Ctx, Secret, UserId};
use crate::domains::users::User;
use crate::infrastructure::crypto::{TokenHash, random_bytes, random_password};
use crate::infrastructure::database::{AcrossTenants, Transaction};
use crate::infrastructure::web::Visitor;

/// As many letters as most services give.
const RECOVERY_CODES: usize = 10;
/// What authenticators show beside the address.
const ISSUER: &str = "Millrace";

/// What was shown beside the password, to be used up with the login.
#[derive(Debug)]
pub(super) enum Proof {
    /// The account has no second factor.
    NotNeeded,
    /// The code of this time step.
    Step(i64),
    RecoveryCode(TokenHash),
}

impl Service {
    /// Makes a secret for an authenticator. It counts once a code of it is confirmed.
    pub async fn enrol_second_factor(
        &self,
        ctx: &Ctx,
        visitor: &Visitor,
        enrol: EnrolSecondFactor,
    ) -> Result<Authenticator, Error> {
        let account = self.own_account(ctx, visitor, &enrol.password).await?;
        let secret = Secret::new(random_bytes::<20>()?.to_vec());
        let totp = totp(&account, &secret)?;
        let now = self.clock.now();
        let row = second_factor::Model {
            user_id: account.id,
            secret: self.sealing.seal(secret.expose(), account.id.as_uuid().as_bytes())?,
            created_at: now,
            confirmed_at: None,
            last_step: 0,
        };
        let transaction = self.database.begin(AcrossTenants).await?;
        if !repository::replace_unconfirmed_second_factor(&transaction, row).await? {
            return Err(Error::SecondFactorActive);
        }
        self.record_everywhere(&transaction, visitor, account.id, "user.secondFactorEnrol").await?;
        transaction.commit().await?;
        let url = totp.to_url().map_err(|error| Error::Authenticator(error.to_string()))?;
        Ok(Authenticator { secret: totp.secret().to_base32(), url })
    }

    /// Switches the second factor on, with a code of the authenticator; gives recovery codes.
    pub async fn confirm_second_factor(
        &self,
        ctx: &Ctx,
        visitor: &Visitor,
        confirm: ConfirmSecondFactor,
    ) -> Result<RecoveryCodes, Error> {
        let (account, _) = self.users.find_account(person(ctx)?).await?.ok_or(Error::InvalidToken)?;
        let row = repository::find_second_factor(&self.database.read(AcrossTenants), account.id).await?;
        let row = row.filter(|row| row.confirmed_at.is_none()).ok_or(Error::NoSecondFactor)?;
        self.throttle.check(&account.email, visitor.address).await?;
        let step = self.step_of(&account, &row, &confirm.code)?;
        let Some(step) = step else {
            self.throttle.failed(&account.email, visitor.address).await?;
            return Err(Error::WrongCode);
        };
        let transaction = self.database.begin(AcrossTenants).await?;
        if !repository::confirm_second_factor(&transaction, account.id, step, self.clock.now()).await? {
            return Err(Error::NoSecondFactor);
        }
        let codes = self.new_recovery_codes(&transaction, account.id).await?;
        self.record_everywhere(&transaction, visitor, account.id, "user.secondFactorConfirm").await?;
        transaction.commit().await?;
        self.mail(mails::second_factor_changed(&account.email, true));
        Ok(codes)
    }

    /// Switches the second factor off, with the password and a code.
    pub async fn disable_second_factor(
        &self,
        ctx: &Ctx,
        visitor: &Visitor,
        proof: SecondFactorProof,
    ) -> Result<(), Error> {
        let (account, proof) = self.own_account_with_code(ctx, visitor, proof).await?;
        let transaction = self.database.begin(AcrossTenants).await?;
        self.use_up(&transaction, account.id, proof).await?;
        repository::delete_second_factor(&transaction, account.id).await?;
        self.record_everywhere(&transaction, visitor, account.id, "user.secondFactorDisable").await?;
        transaction.commit().await?;
        self.mail(mails::second_factor_changed(&account.email, false));
        Ok(())
    }

    /// New recovery codes; the old ones work no more.
    pub async fn create_recovery_codes(
        &self,
        ctx: &Ctx,
        visitor: &Visitor,
        proof: SecondFactorProof,
    ) -> Result<RecoveryCodes, Error> {
        let (account, proof) = self.own_account_with_code(ctx, visitor, proof).await?;
        let transaction = self.database.begin(AcrossTenants).await?;
        self.use_up(&transaction, account.id, proof).await?;
        let codes = self.new_recovery_codes(&transaction, account.id).await?;
        self.record_everywhere(&transaction, visitor, account.id, "user.recoveryCodes").await?;
        transaction.commit().await?;
        Ok(codes)
    }

    /// Whether the account asks for a code.
    pub(super) async fn has_second_factor(&self, user: UserId) -> Result<bool, Error> {
        let row = repository::find_second_factor(&self.database.read(AcrossTenants), user).await?;
        Ok(row.is_some_and(|row| row.confirmed_at.is_some()))
    }

    /// Checks the code where the account asks for one. A wrong one counts as a failed login.
    pub(super) async fn prove_second_factor(
        &self,
        user: &User,
        code: Option<Secret<String>>,
        address: Option<IpAddr>,
    ) -> Result<Proof, Error> {
        let row = repository::find_second_factor(&self.database.read(AcrossTenants), user.id).await?;
        let Some(row) = row.filter(|row| row.confirmed_at.is_some()) else { return Ok(Proof::NotNeeded) };
        let code = code.ok_or(Error::CodeNeeded)?;
        if let Some(step) = self.step_of(user, &row, &code)? {
            return Ok(Proof::Step(step));
        }
        let hash = recovery_hash(user.id, &code);
        if repository::has_recovery_code(&self.database.read(AcrossTenants), user.id, &hash).await? {
            return Ok(Proof::RecoveryCode(hash));
        }
        self.throttle.failed(&user.email, address).await?;
        Err(Error::WrongCode)
    }

    /// A code counts once: of two logins with the same one, one is refused.
    pub(super) async fn use_up(&self, transaction: &Transaction, user: UserId, proof: Proof) -> Result<(), Error> {
        let fresh = match proof {
            Proof::NotNeeded => true,
            Proof::Step(step) => repository::use_step(transaction, user, step).await?,
            Proof::RecoveryCode(hash) => repository::use_recovery_code(transaction, user, &hash).await?,
        };
        if fresh { Ok(()) } else { Err(Error::WrongCode) }
    }

    async fn own_account_with_code(
        &self,
        ctx: &Ctx,
        visitor: &Visitor,
        proof: SecondFactorProof,
    ) -> Result<(User, Proof), Error> {
        let account = self.own_account(ctx, visitor, &proof.password).await?;
        // Guesses that were sent together must not all be answered because none had failed when they arrived.
        let _turn = self.throttle.turn(&account.email).await;
        self.throttle.check(&account.email, visitor.address).await?;
        match self.prove_second_factor(&account, Some(proof.code), visitor.address).await? {
            Proof::NotNeeded => Err(Error::NoSecondFactor),
            proof => Ok((account, proof)),
        }
    }

    /// The time step whose code this is, a step to either side included; None when it is no code of now, or was used.
    fn step_of(&self, user: &User, row: &second_factor::Model, code: &Secret<String>) -> Result<Option<i64>, Error> {
        let secret = self.sealing.open(&row.secret, user.id.as_uuid().as_bytes())?;
        let now = u64::try_from(self.clock.now().as_seconds()).unwrap_or(0);
        let step = totp(user, &secret)?.check(code.expose().trim(), now);
        Ok(step.and_then(|step| i64::try_from(step).ok()).filter(|step| *step > row.last_step))
    }

    async fn new_recovery_codes(&self, transaction: &Transaction, user: UserId) -> Result<RecoveryCodes, Error> {
        let mut codes = Vec::with_capacity(RECOVERY_CODES);
        for _ in 0..RECOVERY_CODES {
            let letters: Vec<char> = random_password()?.expose().chars().collect();
            let groups: Vec<String> = letters.chunks(5).map(|group| group.iter().collect()).collect();
            codes.push(groups.join("-"));
        }
        let rows = codes.iter().map(|code| {
            let hash = recovery_hash(user, &Secret::new(code.clone())).as_bytes().to_vec();
            recovery_code::Model { hash, user_id: user }
        });
        repository::replace_recovery_codes(transaction, user, rows.collect()).await?;
        Ok(RecoveryCodes { codes })
    }
}

/// SHA-1, six digits, thirty seconds: what every authenticator understands.
fn totp(user: &User, secret: &Secret<Vec<u8>>) -> Result<Totp, Error> {
    let builder = Builder::new()
        .with_secret(secret.expose().clone())
        .with_account_name(user.email.as_str().replace(':', "_"))
        .with_issuer(Some(ISSUER));
    builder.build().map_err(|error| Error::Authenticator(error.to_string()))
}

/// Codes may be typed with or without their hyphens, and in capitals.
fn recovery_hash(user: UserId, code: &Secret<String>) -> TokenHash {
    let letters: String = code.expose().chars().filter(|letter| letter.is_ascii_alphanumeric()).collect();
    TokenHash::of(&format!("{user}:{}", letters.to_ascii_lowercase()))
}
