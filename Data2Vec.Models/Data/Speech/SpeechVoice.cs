using Data2Vec.Kernels;

namespace Data2Vec.Models.Data;

/// <summary>A speaker of the synthesiser: size of larynx and vocal tract, speed, timbre.</summary>
/// <param name="Pitch">Middle of the fundamental frequency in Hz: 90 to 237.</param>
/// <param name="TractScale">Factor on all resonances: 0.88 to 1.22.</param>
/// <param name="Speed">Factor on the speed: 0.85 to 1.25.</param>
/// <param name="Breath">Breath noise in the voice: 0.01 to 0.08.</param>
/// <param name="Softness">Pole of the filter that rounds glottal pulses: 0.90 to 0.96.</param>
/// <param name="Sharpness">Gain of mouth noise: 0.6 to 1.5.</param>
/// <param name="Damping">Factor on the widths of resonances: 0.8 to 1.4.</param>
public sealed record SpeechVoice(
    double Pitch, double TractScale, double Speed, double Breath, double Softness, double Sharpness, double Damping)
{
    /// <summary>Draws a voice; pitch and tract go together, as they do in people, but not strictly.</summary>
    internal static SpeechVoice Draw(PhiloxStream random)
    {
        var size = random.NextDouble();
        double Near() => Math.Clamp(size + 0.12 * random.NextNormal(), 0, 1);
        return new SpeechVoice(
            90 * Math.Pow(2, 1.4 * Near()), 0.88 + 0.34 * Near(), random.NextDouble(0.85, 1.25),
            random.NextDouble(0.01, 0.08), random.NextDouble(0.90, 0.96), random.NextDouble(0.6, 1.5),
            random.NextDouble(0.8, 1.4));
    }
}
