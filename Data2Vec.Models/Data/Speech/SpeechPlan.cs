using Data2Vec.Kernels;

namespace Data2Vec.Models.Data;

/// <summary>
/// What one clip says and how, before it is sounded: phones in time and the controls of the synthesiser.
/// </summary>
internal sealed class SpeechPlan
{
    /// <summary>Samples of one control step: 5 ms.</summary>
    public const int Step = 80;

    private const double StepMilliseconds = 1000.0 * Step / AudioSample.SampleRate;
    private const int MostTries = 10_000;

    // The share of a clip that its words fill.
    private const double Shortest = 0.7;
    private const double Longest = 0.98;

    private SpeechPlan(int steps)
    {
        First = new double[steps];
        Second = new double[steps];
        Third = new double[steps];
        Voicing = new double[steps];
        Noise = new double[steps];
        NoiseCentre = new double[steps];
        NoiseWidth = new double[steps];
        Pitch = new double[steps];
        var silence = DigitPhones.Shape(DigitPhones.Silence);
        for (var i = 0; i < steps; i++) SetFormants(i, silence.Start);
        Array.Fill(NoiseCentre, silence.Noise.Centre);
        Array.Fill(NoiseWidth, silence.Noise.Width);
    }

    public IReadOnlyList<int> Digits { get; private init; } = [];

    public List<PhoneInterval> Phones { get; } = [];

    /// <summary>Resonances in Hz at every step.</summary>
    public double[] First { get; private set; }

    public double[] Second { get; private set; }

    public double[] Third { get; private set; }

    /// <summary>Loudness of voice and of mouth noise.</summary>
    public double[] Voicing { get; private set; }

    public double[] Noise { get; private set; }

    /// <summary>Resonance of the mouth noise in Hz.</summary>
    public double[] NoiseCentre { get; }

    public double[] NoiseWidth { get; }

    /// <summary>Fundamental frequency in Hz.</summary>
    public double[] Pitch { get; }

    /// <summary>Draws a string of digits that fills the clip well, and how a voice says it.</summary>
    public static SpeechPlan Draw(SpeechVoice voice, int samples, PhiloxStream random)
    {
        var milliseconds = 1000.0 * samples / AudioSample.SampleRate;
        var (fewest, most) = ((int)Math.Round(milliseconds * 0.0012), (int)Math.Round(milliseconds * 0.0028));
        for (var tries = 0; tries < MostTries; tries++)
        {
            var digits = new int[fewest + random.NextInt(most - fewest + 1)];
            for (var i = 0; i < digits.Length; i++) digits[i] = random.NextInt(10);
            var sequence = Durations(digits, voice, random);
            var total = sequence.Sum(s => s.Milliseconds);
            if (total < Shortest * milliseconds || total > Longest * milliseconds) continue;
            var plan = new SpeechPlan((samples + Step - 1) / Step) { Digits = digits };
            var start = 0.0;
            foreach (var (phone, duration) in sequence)
            {
                if (phone != DigitPhones.Silence) plan.Place(phone, start, start + duration);
                start += duration;
            }
            plan.Soften(voice, random);
            return plan;
        }
        throw new InvalidOperationException($"No string of digits fills {milliseconds} ms.");
    }

    private static List<(int Phone, double Milliseconds)> Durations(
        int[] digits, SpeechVoice voice, PhiloxStream random)
    {
        var sequence = new List<(int, double)> { (DigitPhones.Silence, random.NextDouble(60, 300)) };
        foreach (var digit in digits)
        {
            var pace = Math.Exp(0.08 * random.NextNormal()) / voice.Speed;
            foreach (var phone in DigitPhones.Of(digit))
            {
                var usual = DigitPhones.Shape(phone).Milliseconds;
                sequence.Add((phone, usual * pace * Math.Exp(0.12 * random.NextNormal())));
            }
            if (random.NextDouble() < 0.6) sequence.Add((DigitPhones.Silence, random.NextDouble(30, 150)));
        }
        return sequence;
    }

    private void Place(int phone, double from, double to)
    {
        var shape = DigitPhones.Shape(phone);
        var (first, end) = ((int)Math.Round(from / StepMilliseconds), (int)Math.Round(to / StepMilliseconds));
        Phones.Add(new PhoneInterval(phone, first * Step, end * Step));
        // A plosive is silent for 60 % of its time, then a burst of 25 ms, then a breath.
        var burst = first + (int)(0.6 * (end - first));
        var breath = burst + 5;
        for (var i = first; i < end; i++)
        {
            // Gliding phones move during the middle 60 %.
            var progress = Math.Clamp(((i - first) / Math.Max(1.0, end - first - 1) - 0.2) / 0.6, 0, 1);
            var target = shape.Glide ?? shape.Start;
            SetFormants(i, new Formants(
                shape.Start.First + progress * (target.First - shape.Start.First),
                shape.Start.Second + progress * (target.Second - shape.Start.Second),
                shape.Start.Third + progress * (target.Third - shape.Start.Third)));
            Voicing[i] = shape.Voicing;
            Noise[i] = shape.Noise.Gain * (!shape.IsPlosive ? 1 : i < burst ? 0 : i < breath ? 1 : 0.15);
            if (shape.Noise.Gain == 0) continue;
            NoiseCentre[i] = shape.Noise.Centre;
            NoiseWidth[i] = shape.Noise.Width;
        }
    }

    /// <summary>Articulators move smoothly; the pitch falls over the clip and wavers.</summary>
    private void Soften(SpeechVoice voice, PhiloxStream random)
    {
        (First, Second, Third) = (Moving(First), Moving(Second), Moving(Third));
        (Voicing, Noise) = (Average(Voicing, 3), Average(Noise, 3));
        var (slow, fast) = (random.NextDouble(0, 2 * Math.PI), random.NextDouble(0, 2 * Math.PI));
        for (var i = 0; i < Pitch.Length; i++)
        {
            var seconds = i * StepMilliseconds / 1000;
            var fall = 1.1 - 0.2 * i / Pitch.Length;
            Pitch[i] = voice.Pitch * (fall + 0.06 * Math.Sin(slow + 2 * Math.PI * 2 * seconds)
                + 0.03 * Math.Sin(fast + 2 * Math.PI * 3.6 * seconds));
        }
        double[] Moving(double[] track) => Average(Average([.. track.Select(f => f * voice.TractScale)], 7), 5);
    }

    /// <summary>Mean over an odd number of steps; the ends are repeated.</summary>
    private static double[] Average(double[] track, int width)
    {
        var smooth = new double[track.Length];
        for (var i = 0; i < track.Length; i++)
        {
            for (var j = -width / 2; j <= width / 2; j++) smooth[i] += track[Math.Clamp(i + j, 0, track.Length - 1)];
            smooth[i] /= width;
        }
        return smooth;
    }

    private void SetFormants(int step, Formants formants) =>
        (First[step], Second[step], Third[step]) = (formants.First, formants.Second, formants.Third);
}
