namespace Data2Vec.Models.Data;

/// <summary>One sound of generated speech, as a formant synthesiser needs it.</summary>
/// <param name="Name">Name in the ARPAbet.</param>
/// <param name="Start">Three formants in Hz, of a middling voice, where the sound begins.</param>
/// <param name="Milliseconds">Usual length.</param>
internal sealed record SpeechPhone(string Name, (double First, double Second, double Third) Start, double Milliseconds)
{
    /// <summary>The formants where a diphthong ends; null = they stay.</summary>
    public (double First, double Second, double Third)? End { get; init; }

    /// <summary>How strongly the voice sounds.</summary>
    public double Voicing { get; init; }

    /// <summary>How strongly air hisses.</summary>
    public double Hiss { get; init; }

    /// <summary>Middle of the hiss in Hz.</summary>
    public double HissCentre { get; init; }

    /// <summary>Width of the hiss in Hz.</summary>
    public double HissWidth { get; init; }

    /// <summary>A closed mouth, then a burst of the hiss and a weaker rest.</summary>
    public bool IsStop { get; init; }
}

/// <summary>The sounds of the ten English digits.</summary>
/// <remarks>
/// Formants after Peterson and Barney (JASA 1952) and, with hiss and lengths, after the tables of Klatt (JASA 1980),
/// rounded: the sounds shall be told apart as those of speech are, not to be mistaken for a speaker's.
/// </remarks>
internal static class SpeechPhones
{
    /// <summary>The sounds; number p + 1 in labels, where 0 is silence.</summary>
    public static readonly SpeechPhone[] All =
    [
        Vowel("IH", (390, 1990, 2550), 85), Vowel("IY", (270, 2290, 3010), 160), Vowel("EH", (530, 1840, 2480), 100),
        Vowel("AH", (640, 1190, 2390), 100), Vowel("AO", (570, 840, 2410), 150),
        Vowel("UW", (300, 870, 2240), 170) with { Voicing = 0.9 },
        Vowel("OW", (540, 950, 2400), 160) with { End = (360, 750, 2350) },
        Vowel("AY", (710, 1150, 2500), 190) with { End = (350, 2000, 2600) },
        Vowel("EY", (480, 1850, 2500), 160) with { End = (300, 2200, 2700) },
        Vowel("R", (310, 1060, 1380), 75) with { Voicing = 0.7 },
        Vowel("W", (290, 610, 2150), 75) with { Voicing = 0.6 },
        Vowel("N", (250, 1300, 2300), 85) with { Voicing = 0.35 },
        Hissing("Z", (240, 1390, 2530), 90, 0.5, 5200, 1200) with { Voicing = 0.25 },
        Hissing("V", (220, 1100, 2080), 65, 0.12, 3500, 4000) with { Voicing = 0.3 },
        Hissing("S", (320, 1390, 2530), 110, 1, 5600, 1200),
        Hissing("F", (340, 1100, 2080), 100, 0.25, 3800, 5000),
        Hissing("TH", (320, 1290, 2540), 90, 0.2, 6200, 2500),
        Hissing("T", (400, 1600, 2600), 85, 0.8, 4200, 1500) with { IsStop = true },
        Hissing("K", (300, 1990, 2850), 75, 0.6, 1900, 600) with { IsStop = true },
    ];

    /// <summary>How the digits are written.</summary>
    public static readonly string[] Words =
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

    /// <summary>Numbers, in <see cref="All"/>, of the sounds of every digit.</summary>
    public static readonly int[][] Digits = Array.ConvertAll<string, int[]>(
        ["Z IH R OW", "W AH N", "T UW", "TH R IY", "F AO R", "F AY V", "S IH K S", "S EH V AH N", "EY T", "N AY N"],
        digit => Array.ConvertAll(digit.Split(' '), name => Array.FindIndex(All, p => p.Name == name)));

    private static SpeechPhone Vowel(string name, (double, double, double) formants, double milliseconds) =>
        new(name, formants, milliseconds) { Voicing = 1 };

    private static SpeechPhone Hissing(
        string name, (double, double, double) formants, double milliseconds, double hiss, double centre, double width) =>
        new(name, formants, milliseconds) { Hiss = hiss, HissCentre = centre, HissWidth = width };
}
