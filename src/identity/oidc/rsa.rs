//! RSA public keys that are fit to be believed, in the form that aws-lc reads.

/// The smallest and largest modulus in bits. (NIST SP 800-131A; the limit of aws-lc.)
const BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// The primes of the fingerprint of ROCA (CVE-2017-15361).
const ROCA_PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

/// The DER `RSAPublicKey` (RFC 8017, appendix A.1.1) of a modulus and exponent, both big-endian; `None` when the key is
/// weak: a modulus outside 2048 to 8192 bits or even, an exponent that is 1, even or over 32 bits, or made by the ROCA bug.
pub(super) fn public_key(modulus: &[u8], exponent: &[u8]) -> Option<Vec<u8>> {
    // RFC 7518, section 6.3.1.1: some libraries put a zero byte before the modulus
    let (modulus, exponent) = (without_zeros(modulus), without_zeros(exponent));
    let bits = (modulus.len() * 8).checked_sub(modulus.first()?.leading_zeros() as usize)?;
    let odd = modulus.last()? & 1 == 1;
    if !BITS.contains(&bits)
        || !odd
        || !is_sound_exponent(exponent)
        || has_roca_fingerprint(modulus)
    {
        return None;
    }
    let mut numbers = der(0x02, &unsigned(modulus));
    numbers.extend(der(0x02, &unsigned(exponent)));
    Some(der(0x30, &numbers))
}

fn is_sound_exponent(exponent: &[u8]) -> bool {
    let odd = exponent.last().is_some_and(|last| last & 1 == 1);
    odd && exponent.len() <= 4 && exponent != [1]
}

/// True for moduli made by Infineon's library: modulo every small prime they are a power of 65537
/// (Nemec et al., "The Return of Coppersmith's Attack", 2017). A sound modulus is so with a chance far below 2^-25.
fn has_roca_fingerprint(modulus: &[u8]) -> bool {
    ROCA_PRIMES.iter().all(|&prime| {
        let residue = modulus.iter().fold(0, |rest, &byte| (rest * 256 + u32::from(byte)) % prime);
        let generator = 65537 % prime;
        let mut power = 1;
        (0..prime).any(|_| {
            power = power * generator % prime;
            power == residue
        })
    })
}

fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|&&byte| byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

/// The content of a DER INTEGER that is not negative.
fn unsigned(number: &[u8]) -> Vec<u8> {
    let sign = number.first().is_some_and(|&first| first >= 0x80);
    let mut content = if sign { vec![0] } else { Vec::new() };
    content.extend_from_slice(number);
    content
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = content.len().to_be_bytes();
    let length = without_zeros(&length);
    match (u8::try_from(content.len()), u8::try_from(length.len())) {
        (Ok(short), _) if short < 0x80 => out.push(short),
        (_, Ok(long)) => {
            out.push(0x80 | long);
            out.extend_from_slice(length);
        }
        (_, Err(_)) => {}
    }
    out.extend_from_slice(content);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modulus(bytes: usize) -> Vec<u8> {
        let mut modulus = vec![0xc7; bytes];
        modulus[bytes / 2] = 0x35;
        modulus
    }

    #[test]
    fn a5_rsa_under_2048_bits_is_refused() {
        assert!(public_key(&modulus(256), &[1, 0, 1]).is_some());
        for bytes in [0, 1, 64, 128, 255, 1025, 4096] {
            assert!(public_key(&modulus(bytes.max(1))[..bytes], &[1, 0, 1]).is_none(), "{bytes}");
        }
        let mut short = modulus(256);
        short[0] = 0x7f;
        assert!(public_key(&short, &[1, 0, 1]).is_none());
        let mut padded = vec![0; 8];
        padded.extend(modulus(128));
        assert!(public_key(&padded, &[1, 0, 1]).is_none());
    }

    #[test]
    fn a5_exponents_that_do_not_protect_are_refused() {
        for exponent in [&[][..], &[0], &[1], &[0, 0, 1], &[2], &[1, 0, 0], &[1, 0, 0, 0, 1]] {
            assert!(public_key(&modulus(256), exponent).is_none(), "{exponent:?}");
        }
        for exponent in [&[3][..], &[17], &[1, 0, 1], &[0, 1, 0, 1]] {
            assert!(public_key(&modulus(256), exponent).is_some(), "{exponent:?}");
        }
    }

    #[test]
    fn a5_an_even_modulus_is_refused() {
        let mut even = modulus(256);
        even[255] = 0xc6;
        assert!(public_key(&even, &[1, 0, 1]).is_none());
    }

    #[test]
    fn a5_roca_moduli_are_refused() {
        // 65537^a modulo the primorial is what the bug makes; 1 = 65537^0 has the fingerprint modulo every prime
        assert!(has_roca_fingerprint(&[1]));
        assert!(has_roca_fingerprint(&[1, 0, 1]));
        assert!(!has_roca_fingerprint(&modulus(256)));
        // the product of the primes, shifted, and one more: 1 modulo every prime, odd, and 257 bytes long
        let mut product = vec![1_u8];
        for prime in ROCA_PRIMES {
            let mut carry = 0;
            for byte in &mut product {
                carry += u32::from(*byte) * prime;
                *byte = carry.to_le_bytes()[0];
                carry >>= 8;
            }
            product.extend(u8::try_from(carry).ok().filter(|carry| *carry > 0));
        }
        product.reverse();
        product.resize(256, 0);
        product.push(1);
        assert!(public_key(&product, &[1, 0, 1]).is_none());
        product[256] = 3;
        assert!(public_key(&product, &[1, 0, 1]).is_some(), "only the fingerprint was wrong");
    }

    #[test]
    fn der_lengths_are_minimal() {
        assert_eq!(der(2, &[5]), [2, 1, 5]);
        assert_eq!(der(2, &[0; 127])[..2], [2, 127]);
        assert_eq!(der(2, &[0; 128])[..3], [2, 0x81, 128]);
        assert_eq!(der(2, &[0; 256])[..4], [2, 0x82, 1, 0]);
    }
}
