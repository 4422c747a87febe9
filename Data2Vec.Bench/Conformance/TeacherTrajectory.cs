using System.Runtime.InteropServices;
using System.Text.Json;
using Data2Vec.Engine;
using Data2Vec.Engine.Serialization;
using Data2Vec.Kernels;

namespace Data2Vec.Bench.Conformance;

/// <summary>
/// The float32 store of a half-precision model's teacher: averaged parameters, and copies of those that are skipped or
/// frozen. Buffers are not compared: the store does not keep them.
/// </summary>
internal static class TeacherTrajectory
{
    public static List<Difference> Run(JsonElement item, SafetensorsFile file, Device device)
    {
        if (!item.GetProperty("fp32_store").GetBoolean())
        {
            throw new NotExpressibleException(
                "the teacher is accumulated in float32: in 16 bits a decay near 1 loses every small step");
        }
        var prefix = $"ema/{OptimSuite.Name(item)}/";
        double[] decays = [.. item.GetProperty("decays").EnumerateArray().Select(d => d.GetDouble())];
        var copied = Strings(item, "skip_keys").Concat(Strings(item, "frozen")).ToHashSet();
        var students = prefix + "student.";
        string[] names = [.. file.Entries.Select(e => e.Name)
            .Where(n => n.StartsWith(students, StringComparison.Ordinal)).Select(n => n[students.Length..]).Order()];
        var rows = decays.Length + 1;
        double[] Student(string name, int t) => OptimTrajectory.Row(file, $"{prefix}student.{name}", t, rows);
        double[] Store(string name, int t) => OptimTrajectory.Row(file, $"{prefix}store.{name}", t, rows);

        using var memory = new DeviceMemory(device);
        var segments = new Segment[names.Length];
        long offset = 0;
        for (var i = 0; i < names.Length; i++)
        {
            var length = Student(names[i], 0).Length;
            segments[i] = new Segment
            {
                Offset = offset, Length = length, TeacherOffset = offset,
                TeacherCopies = copied.Contains(names[i]) ? 1 : 0,
            };
            offset += length;
        }
        var table = memory.Upload<Segment>(segments, DType.UInt8);
        var teacher = memory.UploadNumbers([.. names.SelectMany(n => Store(n, 0))], DType.Float32);
        var differences = new List<Difference>();
        for (var t = 1; t < rows; t++)
        {
            var step = new StepValues { EmaDecay = decays[t - 1] };
            var args = new EmaArgs
            {
                Student = memory.UploadNumbers([.. names.SelectMany(n => Student(n, t))], DType.Float32),
                Teacher = teacher,
                Segments = table,
                SegmentCount = segments.Length,
                Step = memory.Upload<byte>(MemoryMarshal.AsBytes(new ReadOnlySpan<StepValues>(in step)), DType.UInt8),
            };
            args.Check();
            device.Backend.Ema(args);
            for (var i = 0; i < names.Length; i++)
            {
                var got = memory.DownloadNumbers(teacher.At(segments[i].TeacherOffset), (int)segments[i].Length);
                differences.Add(Comparison.Compare(
                    $"store.{names[i]} after {t}", got, Store(names[i], t), new(Tolerance.Single)));
            }
        }
        return differences;
    }

    private static IEnumerable<string> Strings(JsonElement item, string name) => item.TryGetProperty(name, out var list)
        ? list.EnumerateArray().Select(s => s.GetString()!)
        : [];
}
