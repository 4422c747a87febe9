using Data2Vec.Kernels;

namespace Data2Vec.Models.Data;

/// <summary>Which sound a generated clip makes when, and how the synthesiser is moved, in steps of 5 ms.</summary>
/// <param name="Digits">The digits that are said.</param>
/// <param name="Labels">[blocks]: 0 = silence, else 1 + the number of the sound.</param>
/// <param name="Formants">[3][blocks] in Hz, of a middling voice.</param>
/// <param name="Voicing">[blocks].</param>
/// <param name="Hiss">[blocks].</param>
/// <param name="HissCentre">[blocks] in Hz.</param>
/// <param name="HissWidth">[blocks] in Hz.</param>
internal sealed record SpeechPlan(
    int[] Digits, byte[] Labels, double[][] Formants, double[] Voicing, double[] Hiss, double[] HissCentre,
    double[] HissWidth)
{
    private const double BlockMilliseconds = 5;
    private const double Shortest = 1750;
    private const double Longest = 2450;
    private const int FewestDigits = 3;
    private const int MostDigits = 7;

    /// <summary>Draws digits and lengths until they fill the clip.</summary>
    public static SpeechPlan Draw(SpeechVoice voice, PhiloxStream random)
    {
        while (true)
        {
            var digits = new int[FewestDigits + random.NextInt(MostDigits - FewestDigits + 1)];
            for (var i = 0; i < digits.Length; i++) digits[i] = random.NextInt(10);
            var sounds = Sounds(digits, voice, random);
            if (sounds.Sum(s => s.Milliseconds) is > Shortest and < Longest) return Lay(digits, sounds);
        }
    }

    /// <summary>The sounds in order, each with its length; -1 is a pause.</summary>
    private static List<(int Phone, double Milliseconds)> Sounds(
        int[] digits, SpeechVoice voice, PhiloxStream random)
    {
        List<(int, double)> sounds = [(-1, random.NextDouble(60, 300))];
        foreach (var digit in digits)
        {
            var pace = Math.Exp(0.08 * random.NextNormal()) / voice.Speed;
            foreach (var phone in SpeechPhones.Digits[digit])
                sounds.Add((phone, SpeechPhones.All[phone].Milliseconds * pace * Math.Exp(0.12 * random.NextNormal())));
            if (random.NextDouble() < 0.6) sounds.Add((-1, random.NextDouble(30, 150)));
        }
        return sounds;
    }

    private static SpeechPlan Lay(int[] digits, List<(int Phone, double Milliseconds)> sounds)
    {
        double[] Track(double value)
        {
            var track = new double[SpeechClip.Blocks];
            Array.Fill(track, value);
            return track;
        }
        // A neutral mouth where nothing is said.
        var plan = new SpeechPlan(
            digits, new byte[SpeechClip.Blocks], [Track(450), Track(1450), Track(2450)], Track(0), Track(0), Track(3000),
            Track(3000));
        var time = 0.0;
        foreach (var (phone, milliseconds) in sounds)
        {
            var first = (int)Math.Round(time / BlockMilliseconds);
            time += milliseconds;
            if (phone >= 0) plan.Lay(phone, first, (int)Math.Round(time / BlockMilliseconds));
        }
        // The mouth moves slowly, the glottis and a burst fast.
        return plan with
        {
            Formants = Array.ConvertAll(plan.Formants, f => Smoothed(Smoothed(f, 7), 5)),
            Voicing = Smoothed(plan.Voicing, 3),
            Hiss = Smoothed(plan.Hiss, 3),
        };
    }

    private void Lay(int number, int first, int end)
    {
        var phone = SpeechPhones.All[number];
        var (from, to) = (phone.Start, phone.End ?? phone.Start);
        var closed = first + (int)(0.6 * (end - first));
        for (var b = first; b < end; b++)
        {
            Labels[b] = (byte)(number + 1);
            // A diphthong rests at both ends and moves between.
            var moved = Math.Clamp(((double)(b - first) / Math.Max(1, end - first - 1) - 0.2) / 0.6, 0, 1);
            Formants[0][b] = from.First + (to.First - from.First) * moved;
            Formants[1][b] = from.Second + (to.Second - from.Second) * moved;
            Formants[2][b] = from.Third + (to.Third - from.Third) * moved;
            if (phone.Hiss > 0) (HissCentre[b], HissWidth[b]) = (phone.HissCentre, phone.HissWidth);
            Voicing[b] = phone.Voicing;
            Hiss[b] = !phone.IsStop || b >= closed && b < closed + 5 ? phone.Hiss : b < closed ? 0 : 0.15 * phone.Hiss;
        }
    }

    /// <summary>Means over an odd number of blocks; the ends are held.</summary>
    private static double[] Smoothed(double[] track, int width)
    {
        var smooth = new double[track.Length];
        for (var b = 0; b < track.Length; b++)
        {
            var sum = 0.0;
            for (var i = b - width / 2; i <= b + width / 2; i++) sum += track[Math.Clamp(i, 0, track.Length - 1)];
            smooth[b] = sum / width;
        }
        return smooth;
    }
}
