using Data2Vec.Kernels.Ilgpu;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace Data2Vec.Kernels;

/// <summary>The devices that ILGPU finds on this machine, and backends for them.</summary>
public static class IlgpuDevices
{
    private const int WarpSize = 32;

    /// <summary>
    /// ILGPU's CPU accelerator with warps of 32 lanes, as an NVIDIA GPU has: for debugging kernels and for tiny cases. It runs
    /// a thread of the host for each thread of a group, a thousand times slower than the cpu backend.
    /// </summary>
    public static IlgpuBackend OpenCpu()
    {
        var context = Context.Create(b => b.CPU(new CPUDevice(32, 8, 1)).Profiling());
        return new IlgpuBackend(new AcceleratorRuntime(context, context.GetCPUDevice(0).CreateAccelerator(context)));
    }

    /// <summary>A GPU by its number in <see cref="Find"/>.</summary>
    /// <exception cref="ArgumentException">There is no such device; the sentence lists those there are.</exception>
    /// <exception cref="NotSupportedException">The device is there and cannot be used; the sentence says why.</exception>
    public static IlgpuBackend Open(int number)
    {
        var context = Create();
        try
        {
            var devices = Devices(context);
            if (number < 0 || number >= devices.Count)
            {
                var known = devices.Count == 0 ? "ILGPU finds no GPU on this machine"
                    : $"there are: {string.Join(", ", devices.Select((d, i) => $"ilgpu:{i} ({d.Name})"))}";
                throw new ArgumentException($"There is no device 'ilgpu:{number}'; {known}.");
            }
            var device = devices[number];
            if (device.WarpSize != WarpSize || device.MaxNumThreadsPerGroup < RowReduction.GroupSize)
            {
                throw new NotSupportedException($"it has warps of {device.WarpSize} and groups of at most "
                    + $"{device.MaxNumThreadsPerGroup} threads; the kernels need {WarpSize} and {RowReduction.GroupSize}.");
            }
            return new IlgpuBackend(new AcceleratorRuntime(context, device.CreateAccelerator(context)));
        }
        catch (Exception e)
        {
            context.Dispose();
            if (e is ArgumentException) throw;
            throw new NotSupportedException($"The device 'ilgpu:{number}' cannot be used: {(e.InnerException ?? e).Message}", e);
        }
    }

    /// <summary>The GPUs of this machine, CUDA before OpenCL, in the order of their numbers.</summary>
    /// <exception cref="NotSupportedException">ILGPU itself cannot be used; the sentence says why.</exception>
    public static IReadOnlyList<IlgpuDevice> Find()
    {
        using var context = Create();
        return [.. Devices(context).Select((d, i) => new IlgpuDevice(
            i, d.Name, d.AcceleratorType.ToString().ToLowerInvariant(), d.MemorySize, d.NumMultiprocessors))];
    }

    private static Context Create()
    {
        try
        {
            return Context.Create(b => b.Cuda().OpenCL().Profiling());
        }
        catch (Exception e) when (e is AcceleratorException or DllNotFoundException or NotSupportedException)
        {
            throw new NotSupportedException($"ILGPU cannot look for devices: {e.Message}", e);
        }
    }

    private static List<Device> Devices(Context context) =>
    [
        .. context.Devices.Where(d => d.AcceleratorType is AcceleratorType.Cuda or AcceleratorType.OpenCL)
            .OrderBy(d => d.AcceleratorType == AcceleratorType.Cuda ? 0 : 1),
    ];
}

/// <summary>A GPU that ILGPU can drive.</summary>
/// <param name="Number">What "ilgpu:N" names it by.</param>
/// <param name="Name">As the driver calls it.</param>
/// <param name="Kind">"cuda" or "opencl".</param>
/// <param name="MemoryBytes">Its memory.</param>
/// <param name="Multiprocessors">Streaming multiprocessors or compute units.</param>
public sealed record IlgpuDevice(int Number, string Name, string Kind, long MemoryBytes, int Multiprocessors);
