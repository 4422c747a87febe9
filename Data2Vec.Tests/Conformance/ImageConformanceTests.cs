using Data2Vec.Bench.Conformance;
using Data2Vec.Engine;
using Data2Vec.Engine.Serialization;
using NUnit.Framework;

namespace Data2Vec.Tests.Conformance;

/// <summary>The suite <c>image</c>: no device takes part in it.</summary>
public sealed class ImageConformanceTests
{
    private static IEnumerable<string> Folders => Fixtures.Folders("image");

    [TestCaseSource(nameof(Folders))]
    public void The_recorded_cases_are_met_and_none_is_skipped(string folder)
    {
        var (code, output) = Run(folder, null);
        Assert.That(code, Is.Zero, output);
        Assert.That(output, Does.EndWith("failed 0 skipped 0"));
    }

    [TestCase("resize.safetensors", "a_36x54_bicubic", "resize/a_36x54_bicubic")]
    [TestCase("resize.safetensors", "crop_a_0_bicubic", "crop_resize/crop_a_0_bicubic")]
    [TestCase("resize.safetensors", "eval_a_36_32_bicubic", "eval_transform/eval_a_36_32_bicubic")]
    [TestCase("jitter.safetensors", "hue_up", "jitter/hue_up")]
    [TestCase("decode.safetensors", "png_palette4_trns.png.rgb", "decode/png_palette4_trns.png")]
    [TestCase("decode.safetensors", "jpg_orientation_6.jpg.oriented", "decode/jpg_orientation_6.jpg")]
    [TestCase("broken.safetensors", "png_trailing.png.rgb", "broken/png_trailing.png")]
    public void One_wrong_level_fails_its_case(string file, string tensor, string failing)
    {
        using var copy = new TemporaryFolder();
        var source = Path.Combine(Fixtures.CopiedRoot, "image");
        foreach (var path in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(copy.Path, Path.GetRelativePath(source, path));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(path, target);
        }
        var changed = Path.Combine(copy.Path, file);
        var bytes = File.ReadAllBytes(changed);
        using (var reader = SafetensorsFile.Open(changed))
            bytes[8 + BitConverter.ToInt64(bytes) + reader[tensor].Begin + 7] ^= 0x10;
        File.WriteAllBytes(changed, bytes);
        var (code, output) = Run(copy.Path, failing);
        Assert.That(code, Is.EqualTo(1));
        Assert.That(output, Does.Contain($"FAIL image/{failing}: "));
    }

    private static (int Code, string Output) Run(string folder, string? filter)
    {
        using var device = Device.Parse("reference");
        var output = new StringWriter();
        var code = ConformanceSuites.Run(folder, filter, device, output);
        return (code, output.ToString().TrimEnd());
    }
}
