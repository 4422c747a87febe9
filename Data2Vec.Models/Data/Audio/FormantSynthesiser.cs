using Data2Vec.Kernels;

namespace Data2Vec.Models.Data;

/// <summary>
/// Turns plans into sound: pulses of the glottis and breath go through four resonators in a row, hiss through one of
/// its own beside them; the lips differentiate the former.
/// </summary>
/// <remarks>
/// Source and filter after Klatt, "Software for a cascade/parallel formant synthesizer" (JASA 1980), with fewer parts.
/// All noise is of uniform draws, which a resonator makes nearly normal.
/// </remarks>
internal static class FormantSynthesiser
{
    private const double FourthFormant = 3500;
    private const double HighestFormant = 7600;
    private const double HighestHiss = 7200;
    private const double PulseHeight = 12;
    private const double Jitter = 0.02;
    private const double Radiation = 0.95;
    private const double HissGain = 0.08;
    private const double Level = 0.08;

    private static ReadOnlySpan<double> Bandwidths => [60, 90, 150, 220];

    /// <summary>Sound with background noise 18 to 32 dB below it, on the levels of 16-bit files.</summary>
    public static float[] Speak(SpeechPlan plan, SpeechVoice voice, PhiloxStream random)
    {
        var sound = Clean(plan, voice, random);
        var power = 0.0;
        foreach (var x in sound) power += x * x;
        var deviation = Math.Sqrt(power / sound.Length);
        AddNoise(sound, deviation * Math.Pow(10, -random.NextDouble(18, 32) / 20), random);
        return Array.ConvertAll(sound, x =>
            (float)Math.Clamp(Math.Round(x * (Level / deviation) * 32768), short.MinValue, short.MaxValue) / 32768);
    }

    private static double[] Clean(SpeechPlan plan, SpeechVoice voice, PhiloxStream random)
    {
        var sound = new double[SpeechClip.Length];
        Span<Resonator> tract = stackalloc Resonator[4];
        var hissing = new Resonator();
        var (phase, pace) = (random.NextDouble(), 1.0);
        var (slow, fast) = (random.NextDouble(), random.NextDouble());
        var (first, second, before) = (0.0, 0.0, 0.0);
        for (var b = 0; b < SpeechClip.Blocks; b++)
        {
            for (var f = 0; f < tract.Length; f++)
                tract[f].Tune(
                    Math.Min(voice.FormantScale * (f < 3 ? plan.Formants[f][b] : FourthFormant), HighestFormant),
                    Bandwidths[f] * voice.Damping, Resonator.Peak.AtZero);
            var centre = Math.Min(plan.HissCentre[b] * (1 + voice.FormantScale) / 2, HighestHiss);
            hissing.Tune(centre, plan.HissWidth[b], Resonator.Peak.AtCentre);
            var (voicing, hiss) = (plan.Voicing[b], plan.Hiss[b] * voice.Hiss * HissGain);
            var step = Melody((double)b / SpeechClip.Blocks, slow, fast) * voice.Pitch / SpeechClip.SampleRate;
            for (var i = b * SpeechClip.BlockLength; i < (b + 1) * SpeechClip.BlockLength; i++)
            {
                var pulse = 0.0;
                if ((phase += step * pace) >= 1)
                {
                    (phase, pace, pulse) = (phase - 1, 1 + Jitter * random.NextNormal(), PulseHeight);
                }
                first = voice.Softness * first + (1 - voice.Softness) * pulse;
                second = voice.Softness * second + (1 - voice.Softness) * first;
                var flow = (second + voice.Breath * Noise(random)) * voicing;
                for (var f = 0; f < tract.Length; f++) flow = tract[f].Next(flow);
                sound[i] = flow - Radiation * before + hiss * hissing.Next(Noise(random));
                before = flow;
            }
        }
        return sound;
    }

    /// <summary>Factor of the pitch, which falls by a fifth over the clip and rises and falls within it.</summary>
    private static double Melody(double time, double slow, double fast) => 1.1 - 0.2 * time
        + 0.06 * Math.Sin(2 * Math.PI * (slow + 5 * time)) + 0.03 * Math.Sin(2 * Math.PI * (fast + 9 * time));

    /// <summary>Noise between white and dull.</summary>
    private static void AddNoise(double[] sound, double deviation, PhiloxStream random)
    {
        var pole = random.NextDouble(0, 0.8);
        var scale = deviation * Math.Sqrt(1 - pole * pole);
        var value = 0.0;
        for (var i = 0; i < sound.Length; i++) sound[i] += scale * (value = pole * value + Noise(random));
    }

    /// <summary>Zero mean, unit variance.</summary>
    private static double Noise(PhiloxStream random) => (random.NextSingle() - 0.5) * 3.4641016151377544;

    /// <summary>y[n] = a x[n] + b y[n-1] + c y[n-2], which keeps its past when it is tuned anew.</summary>
    private struct Resonator
    {
        private double a, b, c, last, lastButOne;

        /// <summary>Where the gain is 1.</summary>
        public enum Peak { AtZero, AtCentre }

        public void Tune(double centre, double bandwidth, Peak peak)
        {
            var radius = Math.Exp(-Math.PI * bandwidth / SpeechClip.SampleRate);
            var angle = 2 * Math.PI * centre / SpeechClip.SampleRate;
            c = -radius * radius;
            b = 2 * radius * Math.Cos(angle);
            a = peak == Peak.AtZero
                ? 1 - b - c
                : (1 - radius) * Math.Sqrt(1 - 2 * radius * Math.Cos(2 * angle) + radius * radius);
        }

        public double Next(double x)
        {
            var y = a * x + b * last + c * lastButOne;
            (lastButOne, last) = (last, y);
            return y;
        }
    }
}
