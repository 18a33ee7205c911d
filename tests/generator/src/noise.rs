//! A small deterministic source of random numbers (SplitMix64), enough for test data.

/// Random numbers that depend on the seed alone.
#[derive(Debug, Clone)]
pub struct Noise(u64);

impl Noise {
    /// Starts a sequence.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    /// A number below `bound` (0 when the bound is 0).
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.bits() % bound }
    }

    /// A nearly Gaussian number around 0: the sum of eight random bytes, scaled to the given deviation in
    /// 256ths of a unit.
    pub fn gaussian(&mut self, deviation_256ths: i32) -> i32 {
        let bits = self.bits();
        let pairs = (bits & 0x00FF_00FF_00FF_00FF) + ((bits >> 8) & 0x00FF_00FF_00FF_00FF);
        let sum = pairs.wrapping_mul(0x0001_0001_0001_0001) >> 48;
        // Eight bytes: mean 1020, deviation 209.
        let centred = i32::try_from(sum).unwrap_or(1020) - 1020;
        centred * deviation_256ths / (209 * 256)
    }

    /// That many random bytes.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(count + 8);
        while bytes.len() < count {
            bytes.extend_from_slice(&self.bits().to_le_bytes());
        }
        bytes.truncate(count);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::Noise;

    #[test]
    fn the_same_seed_gives_the_same_numbers() {
        assert_eq!(Noise::new(3).bytes(100), Noise::new(3).bytes(100));
        assert_ne!(Noise::new(3).bytes(100), Noise::new(4).bytes(100));
    }

    #[test]
    fn gaussian_noise_has_the_deviation_asked_for() {
        let mut noise = Noise::new(1);
        let squares: i64 = (0..10_000).map(|_| i64::from(noise.gaussian(20 * 256)).pow(2)).sum();
        let variance = squares / 10_000;
        assert!((340..460).contains(&variance), "variance {variance}, wanted about 400");
    }
}
