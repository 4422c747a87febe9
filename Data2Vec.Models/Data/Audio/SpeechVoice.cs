using Data2Vec.Kernels;

namespace Data2Vec.Models.Data;

/// <summary>What distinguishes one generated voice from another.</summary>
/// <param name="Pitch">Mean pulses of the glottis per second.</param>
/// <param name="FormantScale">Factor of all formants: short vocal tracts have high ones.</param>
/// <param name="Speed">Factor by which sounds are shortened.</param>
/// <param name="Breath">Noise between the pulses.</param>
/// <param name="Softness">Pole of the two low-passes that round the pulses off.</param>
/// <param name="Hiss">Factor of all hiss.</param>
/// <param name="Damping">Factor of the formants' bandwidths.</param>
internal sealed record SpeechVoice(
    double Pitch, double FormantScale, double Speed, double Breath, double Softness, double Hiss, double Damping)
{
    private const uint Site = 0x5350_4B56;
    private const double LowestPitch = 90;
    private const double PitchOctaves = 1.4;

    /// <summary>
    /// Voice <paramref name="number"/> of a group of <paramref name="of"/> that spreads evenly from large to small
    /// speakers; pitch and formants go with the size, though not wholly.
    /// </summary>
    public static SpeechVoice Draw(ulong seed, ushort group, int number, int of)
    {
        var random = new PhiloxStream(new RandomKey(seed, (uint)number, group, Site));
        var smallness = (number + random.NextDouble()) / of;
        double Near() => Math.Clamp(smallness + 0.12 * random.NextNormal(), 0, 1);
        return new SpeechVoice(
            Pitch: LowestPitch * Math.Pow(2, PitchOctaves * Near()),
            FormantScale: 0.88 + 0.34 * Near(),
            Speed: random.NextDouble(0.85, 1.25),
            Breath: random.NextDouble(0.01, 0.08),
            Softness: random.NextDouble(0.90, 0.96),
            Hiss: random.NextDouble(0.6, 1.5),
            Damping: random.NextDouble(0.8, 1.4));
    }
}
