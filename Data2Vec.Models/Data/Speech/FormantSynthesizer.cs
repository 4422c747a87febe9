using Data2Vec.Kernels;

namespace Data2Vec.Models.Data;

/// <summary>
/// Source and filter: pulses of the larynx with breath noise pass four resonators in a row; mouth noise passes one of
/// its own; lips radiate the slope. Then room noise is added and the loudness set.
/// </summary>
/// <remarks>
/// Source: Klatt, "Software for a cascade/parallel formant synthesizer" (JASA 1980). Noise is white and uniform: the
/// resonators make it bell-shaped, and it costs a fraction of normal draws.
/// </remarks>
internal static class FormantSynthesizer
{
    private const double Rate = AudioSample.SampleRate;
    private const double FourthFormant = 3500;
    private const double HighestFormant = 7600;
    private const double HighestNoise = 7200;
    private const double Jitter = 0.02;
    private const double PulseHeight = 12;
    private const double Radiation = 0.95;
    private const double NoiseLevel = 0.08;
    private const double Loudness = 0.1;

    // Makes a uniform number of [-0.5, 0.5) one of unit variance.
    private static readonly double Unit = Math.Sqrt(12);

    /// <summary>Sounds a plan; noise is drawn by sample number.</summary>
    public static float[] Sound(SpeechPlan plan, SpeechVoice voice, int samples, RandomKey noise, PhiloxStream random)
    {
        var clean = new double[samples];
        var (tract, mouth) = (new Resonator[4], default(Resonator));
        var (phase, stretch) = (random.NextDouble(), 1.0);
        var (round, rounder, previous) = (0.0, 0.0, 0.0);
        for (var step = 0; step * SpeechPlan.Step < samples; step++)
        {
            Tune(tract, ref mouth, plan, voice, step);
            var last = Math.Min(step + 1, plan.Voicing.Length - 1);
            for (var i = 0; i < SpeechPlan.Step && step * SpeechPlan.Step + i < samples; i++)
            {
                var n = step * SpeechPlan.Step + i;
                var draws = Philox.Block(noise, (ulong)n);
                var part = (double)i / SpeechPlan.Step;
                phase += plan.Pitch[step] / Rate * stretch;
                var pulse = 0.0;
                if (phase >= 1)
                {
                    phase -= 1;
                    pulse = PulseHeight;
                    stretch = 1 + Jitter * White(draws.W3);
                }
                round = voice.Softness * round + (1 - voice.Softness) * pulse;
                rounder = voice.Softness * rounder + (1 - voice.Softness) * round;
                var voicing = plan.Voicing[step] + part * (plan.Voicing[last] - plan.Voicing[step]);
                var wave = (rounder + voice.Breath * White(draws.W0)) * voicing;
                for (var q = 0; q < tract.Length; q++) wave = tract[q].Pass(wave);
                var loud = plan.Noise[step] + part * (plan.Noise[last] - plan.Noise[step]);
                clean[n] = wave - Radiation * previous
                    + NoiseLevel * voice.Sharpness * loud * mouth.Pass(White(draws.W1));
                previous = wave;
            }
        }
        return InRoom(clean, noise, random);
    }

    private static double White(uint word) => ((word >> 8) * (1.0 / (1 << 24)) - 0.5) * Unit;

    private static void Tune(Resonator[] tract, ref Resonator mouth, SpeechPlan plan, SpeechVoice voice, int step)
    {
        tract[0].Tune(Math.Min(plan.First[step], HighestFormant), 60 * voice.Damping);
        tract[1].Tune(Math.Min(plan.Second[step], HighestFormant), 90 * voice.Damping);
        tract[2].Tune(Math.Min(plan.Third[step], HighestFormant), 150 * voice.Damping);
        tract[3].Tune(FourthFormant * voice.TractScale, 220 * voice.Damping);
        mouth.TunePeak(Math.Min(plan.NoiseCentre[step] * (0.5 + 0.5 * voice.TractScale), HighestNoise),
            plan.NoiseWidth[step]);
    }

    /// <summary>Coloured noise 18 to 32 dB below the speech, and a loudness of 0.1 (root mean square).</summary>
    private static float[] InRoom(double[] clean, RandomKey noise, PhiloxStream random)
    {
        var power = clean.Average(x => x * x);
        var distance = random.NextDouble(18, 32);
        var colour = random.NextDouble(0, 0.8);
        // The recursion multiplies the variance by 1 / (1 - colour^2).
        var gain = Math.Sqrt(power * (1 - colour * colour)) * Math.Pow(10, -distance / 20);
        var scale = Loudness / Math.Sqrt(power);
        var result = new float[clean.Length];
        var hum = 0.0;
        for (var i = 0; i < clean.Length; i++)
        {
            hum = colour * hum + White(Philox.Block(noise, (ulong)i).W2);
            result[i] = (float)((clean[i] + gain * hum) * scale);
        }
        return result;
    }

    /// <summary>y[n] = a x[n] + b y[n-1] + c y[n-2].</summary>
    private struct Resonator
    {
        private double a, b, c, before, beforeThat;

        /// <summary>Gain 1 at frequency 0.</summary>
        public void Tune(double frequency, double width)
        {
            Pole(frequency, width, out _, out _);
            a = 1 - b - c;
        }

        /// <summary>Gain 1 at the resonance.</summary>
        public void TunePeak(double frequency, double width)
        {
            Pole(frequency, width, out var radius, out var angle);
            a = (1 - radius) * Math.Sqrt(1 - 2 * radius * Math.Cos(2 * angle) + radius * radius);
        }

        public double Pass(double x)
        {
            var y = a * x + b * before + c * beforeThat;
            beforeThat = before;
            before = y;
            return y;
        }

        private void Pole(double frequency, double width, out double radius, out double angle)
        {
            radius = Math.Exp(-Math.PI * width / Rate);
            angle = 2 * Math.PI * frequency / Rate;
            b = 2 * radius * Math.Cos(angle);
            c = -radius * radius;
        }
    }
}
