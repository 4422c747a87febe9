namespace Data2Vec.Models.Data;

/// <summary>The phones of the ten English digits and how the words are made of them.</summary>
/// <remarks>
/// Vowel formants after Peterson and Barney, "Control methods used in a study of the vowels" (JASA 1952), men's
/// averages; consonants after Klatt, "Software for a cascade/parallel formant synthesizer" (JASA 1980), simplified.
/// </remarks>
public static class DigitPhones
{
    /// <summary>The phone that stands where nobody speaks.</summary>
    public const int Silence = 0;

    private static readonly PhoneShape[] Shapes =
    [
        new("SIL", new(450, 1450, 2450), 0),
        new("IH", new(390, 1990, 2550), 85) { Voicing = 1 },
        new("IY", new(270, 2290, 3010), 160) { Voicing = 1 },
        new("EH", new(530, 1840, 2480), 100) { Voicing = 1 },
        new("AH", new(640, 1190, 2390), 100) { Voicing = 1 },
        new("AO", new(570, 840, 2410), 150) { Voicing = 1 },
        new("UW", new(300, 870, 2240), 170) { Voicing = 0.9 },
        new("OW", new(540, 950, 2400), 160) { Voicing = 1, Glide = new(360, 750, 2350) },
        new("AY", new(710, 1150, 2500), 190) { Voicing = 1, Glide = new(350, 2000, 2600) },
        new("EY", new(480, 1850, 2500), 160) { Voicing = 1, Glide = new(300, 2200, 2700) },
        new("R", new(310, 1060, 1380), 75) { Voicing = 0.7 },
        new("W", new(290, 610, 2150), 75) { Voicing = 0.6 },
        new("N", new(250, 1300, 2300), 85) { Voicing = 0.35 },
        new("Z", new(240, 1390, 2530), 90) { Voicing = 0.25, Noise = new(0.5, 5200, 1200) },
        new("V", new(220, 1100, 2080), 65) { Voicing = 0.3, Noise = new(0.12, 3500, 4000) },
        new("S", new(320, 1390, 2530), 110) { Noise = new(1, 5600, 1200) },
        new("F", new(340, 1100, 2080), 100) { Noise = new(0.25, 3800, 5000) },
        new("TH", new(320, 1290, 2540), 90) { Noise = new(0.2, 6200, 2500) },
        new("T", new(400, 1600, 2600), 85) { Noise = new(0.8, 4200, 1500), IsPlosive = true },
        new("K", new(300, 1990, 2850), 75) { Noise = new(0.6, 1900, 600), IsPlosive = true },
    ];

    private static readonly (string Word, int[] Phones)[] Digits =
    [
        Spell("ZERO", "Z IH R OW"), Spell("ONE", "W AH N"), Spell("TWO", "T UW"), Spell("THREE", "TH R IY"),
        Spell("FOUR", "F AO R"), Spell("FIVE", "F AY V"), Spell("SIX", "S IH K S"), Spell("SEVEN", "S EH V AH N"),
        Spell("EIGHT", "EY T"), Spell("NINE", "N AY N"),
    ];

    /// <summary>Names in ARPAbet, in the order of their numbers; the first is SIL.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Shapes.Select(s => s.Name)];

    /// <summary>The word of a digit, in capitals.</summary>
    public static string Word(int digit) => Digits[digit].Word;

    /// <summary>The phones of a digit.</summary>
    internal static IReadOnlyList<int> Of(int digit) => Digits[digit].Phones;

    /// <summary>How a phone sounds.</summary>
    internal static PhoneShape Shape(int phone) => Shapes[phone];

    private static (string, int[]) Spell(string word, string phones) =>
        (word, [.. phones.Split(' ').Select(p => Array.FindIndex(Shapes, s => s.Name == p))]);
}

/// <summary>The three lowest resonances of the vocal tract, in Hz.</summary>
internal readonly record struct Formants(double First, double Second, double Third);

/// <summary>Noise made in the mouth.</summary>
/// <param name="Gain">Loudness.</param>
/// <param name="Centre">Its resonance in Hz.</param>
/// <param name="Width">Bandwidth of that in Hz.</param>
internal readonly record struct MouthNoise(double Gain, double Centre, double Width);

/// <summary>How a phone sounds.</summary>
/// <param name="Name">In ARPAbet.</param>
/// <param name="Start">Resonances, at the beginning where they glide.</param>
/// <param name="Milliseconds">Usual duration.</param>
internal sealed record PhoneShape(string Name, Formants Start, double Milliseconds)
{
    /// <summary>Resonances at the end; null = as at the beginning.</summary>
    public Formants? Glide { get; init; }

    /// <summary>Loudness of the voice.</summary>
    public double Voicing { get; init; }

    /// <summary>Noise beside the voice.</summary>
    public MouthNoise Noise { get; init; } = new(0, 3000, 3000);

    /// <summary>Closure, burst and a breath instead of a steady sound.</summary>
    public bool IsPlosive { get; init; }
}
