using Data2Vec.Models.Data;

namespace Data2Vec.Fuzz;

/// <summary>Every kind of file that is fuzzed.</summary>
internal static class FuzzTargets
{
    // Enough for everything that goes wrong inside a picture, little enough to try many.
    private const int MostPixels = 1 << 20;

    // FLAC says silence in next to nothing, so the reader has a free share of 2^24 values and 64 for each byte more.
    // Four bytes a value; twice that while the array grows, once to cut it to length, once for the mean of channels.
    private const long FlacValues = 1 << 24;
    private const int FlacValuesPerByte = 64;
    private const int FlacBytesPerValue = 4 * (2 + 1 + 1);

    // A block of 65535 samples on 8 channels in 64 bits, and as bytes for the check sum.
    private const long FlacBlocks = 8 << 20;

    /// <summary>Their names.</summary>
    public static IReadOnlyList<string> Names { get; } =
        ["wav", "flac", "image", "safetensors", "configuration", "tar", "npy"];

    /// <summary>The target of a name. Nothing of the readers runs before.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static FuzzTarget Of(string name) => name switch
    {
        "wav" => Wav(),
        "flac" => Flac(),
        "image" => Image(),
        "safetensors" => SafetensorsTarget.Create(),
        "configuration" => ConfigurationTarget.Create(),
        "tar" => TarTarget.Create(),
        "npy" => NpyTarget.Create(),
        _ => throw new ArgumentException(
            $"There is no target {name}; expected one of {string.Join(", ", Names)}.", nameof(name)),
    };

    private static FuzzTarget Wav() => new("wav", Audio(256 << 10, 16))
    {
        Fixtures = [("audio/wav", ".wav"), ("audio/broken", ".wav")],
        Words = ["RIFF", "RF64", "WAVE", "fmt ", "data", "ds64", "LIST", "fact", "\u00FE\u00FF", "\u0003\0",
            "\0\0\0\0\u0010\0\u0080\0\0\u00AA\08\u009Bq", "\u00FF\u00FF\u00FF\u00FF"],
    };

    private static FuzzTarget Flac() => new("flac",
        Audio(FlacBlocks + FlacBytesPerValue * FlacValues, FlacBytesPerValue * FlacValuesPerByte))
    {
        Fixtures = [("audio/flac", ".flac"), ("audio/broken", ".flac")],
        Words = ["fLaC", "ID3", "\u00FF\u00F8", "\u00FF\u00F9", "\u0084\0\0\0", "\0\0\0\u0022"],
    };

    /// <summary>Whole files, and the head that is read when a folder is opened.</summary>
    private static HostileReading[] Audio(long constant, int perByte) =>
    [
        new("samples", typeof(InvalidDataException), bytes => AudioFile.Read(bytes, "f"))
        {
            Constant = constant, PerByte = perByte,
        },
        new("head", typeof(InvalidDataException), bytes => AudioFile.ReadHeader(
            ScratchFile.Shared.Holding(bytes), bytes.AsSpan(0, Math.Min(bytes.Length, 4096))))
        {
            Constant = constant, PerByte = perByte,
        },
    ];

    private static FuzzTarget Image()
    {
        var stored = new ImageReadOptions { MostPixels = MostPixels };
        return new("image",
        [
            new("pixels", typeof(InvalidDataException), bytes => ImageFile.Decode(PngSums.Repaired(bytes), "f", stored))
            {
                // Three bytes a pixel, and the same again for a picture that is turned; two copies of the file.
                Constant = 6 * MostPixels + (256 << 10),
                // Four bytes a pixel for the decoder's output, up to eight for coefficients of all scans, as many for
                // its buffers; and what the collector has not yet given back.
                Resident = 64 << 20,
            },
        ])
        {
            Fixtures = [("image/files", ""), ("image/broken", "")],
            Words = ["\u0089PNG\r\n\u001A\n", "IHDR", "IDAT", "IEND", "PLTE", "tRNS", "eXIf", "acTL", "RIFF", "WEBP",
                "VP8 ", "VP8L", "VP8X", "ANIM", "ANMF", "ALPH", "EXIF", "GIF89a", "GIF87a", "!\u00F9\u0004", "Exif\0\0",
                "II*\0", "MM\0*", "\u00FF\u00D8", "\u00FF\u00D9", "\u00FF\u00DA", "\u00FF\u00C0", "\u00FF\u00C2",
                "\u00FF\u00C4", "\u00FF\u00DB", "\u00FF\u00DD", "\u00FF\u00E1", "\u00FF\u00EE", "BM"],
        };
    }
}
