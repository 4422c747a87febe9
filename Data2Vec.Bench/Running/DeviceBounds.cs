using System.Globalization;
using Data2Vec.Bench.Cases;
using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Bench.Running;

/// <summary>
/// What a device with a queue can do at best: a large copy, measured, and the peak of its arithmetic from the data sheet, or
/// where that is not known our own largest product, measured.
/// </summary>
internal sealed class DeviceBounds(Device device) : IBounds
{
    // Where the host plays the device nothing is learned from more.
    private const int CopyBytes = 512 << 20, HostCopyBytes = 64 << 10, ProductSide = 8192, HostProductSide = 32;

    private readonly string name = device.ToString();
    private readonly Dictionary<DType, double> measured = [];
    private readonly DType[] types =
        [.. new[] { DType.Float32, DType.BFloat16 }.Where(device.Backend.Computes)];

    // Asked for once: the device may be gone when the bounds are still needed.
    private readonly bool onHost = QueueTimer.TimingOf(device.Backend)?.RunsOnHost ?? true;

    private double? copy;

    public void Measure()
    {
        _ = GigaBytes(0);
        foreach (var type in types) GigaFlops(type);
    }

    public double GigaFlops(DType type) => KnownPeaks.GigaFlops(name, type) ?? ProductGigaFlops(type);

    /// <summary>Our largest product, in GFLOP/s.</summary>
    public double ProductGigaFlops(DType type)
    {
        if (measured.TryGetValue(type, out var speed)) return speed;
        var n = onHost ? HostProductSide : ProductSide;
        var product = new OpCase(nameof(IBackend.MatMul), $"{n} x {n} x {n}")
        {
            Inputs = [Input.Normal("a", n, n), Input.Normal("b", n, n)], Run = o => Ops.MatMul(o[0], o[1]),
        };
        using var run = new CaseRun(product, device, type);
        using var timer = new QueueTimer(device);
        return measured[type] = 2.0 * n * n * n / timer.Measure([run.LaunchForward], run.Bytes).MinSeconds / 1e9;
    }

    /// <summary>The large copy, whatever the size: operands come from memory when a device is timed.</summary>
    public double GigaBytes(long bytes) => copy ??= MeasureCopy();

    public override string ToString()
    {
        var peaks = types.Select(t => string.Create(CultureInfo.InvariantCulture,
            $"{GigaFlops(t):0.##} GFLOP/s {t.Name()} ({(KnownPeaks.GigaFlops(name, t) is null
                ? "our largest product" : "data sheet")})"));
        return string.Create(CultureInfo.InvariantCulture,
            $"bounds: copies {GigaBytes(0):0.##} GB/s, {string.Join(", ", peaks)}{(onHost ? "; the host plays the device" : "")}");
    }

    private double MeasureCopy()
    {
        var backend = device.Backend;
        var bytes = onHost ? HostCopyBytes : CopyBytes;
        using var timer = new QueueTimer(device);
        if (QueueTimer.TimingOf(backend) is not { } timing)
        {
            var pass = new OpCase(nameof(IBackend.Unary), "bound")
            {
                Inputs = [Input.Normal("x", bytes / sizeof(float))], Run = o => Ops.Unary(UnaryOp.Abs, o[0]),
            };
            using var run = new CaseRun(pass, device);
            return run.Bytes / timer.Measure([run.LaunchForward], run.Bytes).MinSeconds / 1e9;
        }
        var (source, target) = (backend.Allocate(bytes), backend.Allocate(bytes));
        try
        {
            timing.Clear(source);
            var seconds = timer.Measure([() => timing.Copy(source, target)], source.Bytes + target.Bytes).MinSeconds;
            return (source.Bytes + target.Bytes) / seconds / 1e9;
        }
        finally
        {
            backend.Free(source);
            backend.Free(target);
        }
    }
}
