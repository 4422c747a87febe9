using System.Runtime.InteropServices;
using System.Text;

namespace Data2Vec.Kernels.Cuda;

/// <summary>
/// NVIDIA's driver, called directly: one device with its primary context, one stream that does not wait for the default one.
/// Source: CUDA Driver API reference manual, 12.4.
/// </summary>
internal sealed unsafe class NativeDriver : ICudaDriver
{
    private const int MultiprocessorsAttribute = 16;
    private const int MajorAttribute = 75, MinorAttribute = 76, SharedOptInAttribute = 97, CacheAttribute = 38;
    private const int DynamicSharedAttribute = 8;
    private const int OutOfMemory = 2;
    private const uint NonBlockingStream = 1, RelaxedCapture = 2;
    private const int InfoLog = 3, InfoLogBytes = 4, ErrorLog = 5, ErrorLogBytes = 6;
    private const int LogBytes = 8192;

    private readonly int device;
    private readonly nint context;
    private readonly nint stream;

    private NativeDriver(int number)
    {
        Try(DriverApi.DeviceGet(out device, number), "cuDeviceGet", $"taking device {number}");
        Try(DriverApi.PrimaryContextRetain(out context, device), "cuDevicePrimaryCtxRetain", $"opening device {number}");
        Try(DriverApi.ContextSetCurrent(context), "cuCtxSetCurrent", $"opening device {number}");
        Try(DriverApi.StreamCreate(out stream, NonBlockingStream), "cuStreamCreate", "making the stream");
        var name = stackalloc byte[256];
        Try(DriverApi.DeviceGetName(name, 256, device), "cuDeviceGetName", "asking for its name");
        Try(DriverApi.DeviceTotalMemory(out var bytes, device), "cuDeviceTotalMem", "asking for its memory");
        Device = new CudaDeviceInfo(Marshal.PtrToStringUTF8((nint)name)!, Attribute(MajorAttribute), Attribute(MinorAttribute),
            Attribute(MultiprocessorsAttribute), (long)bytes, Attribute(SharedOptInAttribute),
            Math.Max(1, Attribute(CacheAttribute)));
    }

    public CudaDeviceInfo Device { get; }

    public nint Stream => stream;

    /// <summary>Devices that the driver has; 0 without a driver.</summary>
    /// <param name="reason">Why there are none.</param>
    public static int Count(out string reason)
    {
        if (!DriverApi.TryLoad(out reason)) return 0;
        try
        {
            Try(DriverApi.Initialize(0), "cuInit", "starting the driver");
            Try(DriverApi.DeviceCount(out var count), "cuDeviceGetCount", "counting devices");
            reason = count == 0 ? "the driver has no devices" : "";
            return count;
        }
        catch (CudaException e)
        {
            reason = e.Message;
            return 0;
        }
    }

    /// <summary>A device by its number.</summary>
    /// <exception cref="NotSupportedException">There is no driver or no such device; the sentence says what was tried.</exception>
    public static NativeDriver Open(int number)
    {
        var count = Count(out var reason);
        if (count == 0) throw new NotSupportedException($"The device 'cuda:{number}' cannot be used: there is no CUDA device ({reason}).");
        if (number < 0 || number >= count)
            throw new NotSupportedException($"There is no device 'cuda:{number}'; the driver has {count} devices.");
        try
        {
            return new NativeDriver(number);
        }
        catch (CudaException e)
        {
            throw new NotSupportedException($"The device 'cuda:{number}' cannot be used: {e.Message}", e);
        }
    }

    public nint LoadModule(string ptx, string name)
    {
        var text = Encoding.UTF8.GetBytes(ptx + '\0');
        var info = stackalloc byte[LogBytes];
        var error = stackalloc byte[LogBytes];
        var options = stackalloc int[] { InfoLog, InfoLogBytes, ErrorLog, ErrorLogBytes };
        var values = stackalloc nint[] { (nint)info, LogBytes, (nint)error, LogBytes };
        error[0] = 0;
        fixed (byte* p = text)
        {
            var status = DriverApi.ModuleLoad(out var module, p, 4, options, values);
            if (status == 0) return module;
            throw Failure(status, "cuModuleLoadDataEx", $"loading {name}: {Marshal.PtrToStringUTF8((nint)error)?.Trim()}");
        }
    }

    public nint GetFunction(nint module, string entry)
    {
        fixed (byte* name = Encoding.UTF8.GetBytes(entry + '\0'))
        {
            Try(DriverApi.ModuleGetFunction(out var function, module, name), "cuModuleGetFunction", $"looking for {entry}");
            return function;
        }
    }

    public void SetDynamicShared(nint function, int bytes) => Try(
        DriverApi.FunctionSetAttribute(function, DynamicSharedAttribute, bytes), "cuFuncSetAttribute",
        "asking for dynamic shared memory");

    public void Launch(nint function, Dim3 grid, Dim3 block, int sharedBytes, ReadOnlySpan<nint> parameters)
    {
        fixed (nint* p = parameters)
        {
            var status = DriverApi.LaunchKernel(function, (uint)grid.X, (uint)grid.Y, (uint)grid.Z, (uint)block.X, (uint)block.Y,
                (uint)block.Z, (uint)sharedBytes, stream, (void**)p, null);
            if (status != 0) throw Failure(status, "cuLaunchKernel", $"launching {grid} blocks of {block} threads");
        }
    }

    public ulong Allocate(long bytes)
    {
        var status = DriverApi.MemoryAllocate(out var pointer, (nuint)bytes);
        if (status == OutOfMemory) return 0;
        Try(status, "cuMemAlloc", "allocating device memory");
        return pointer;
    }

    public void Free(ulong pointer) => Try(DriverApi.MemoryFree(pointer), "cuMemFree", "giving device memory back");

    public nint AllocateHost(long bytes)
    {
        Try(DriverApi.HostAllocate(out var pointer, (nuint)bytes, 0), "cuMemHostAlloc", "allocating pinned memory");
        return pointer;
    }

    public void FreeHost(nint pointer) => Try(DriverApi.HostFree(pointer), "cuMemFreeHost", "giving pinned memory back");

    public void CopyToDevice(ulong target, nint source, long bytes) =>
        Try(DriverApi.CopyToDevice(target, (void*)source, (nuint)bytes, stream), "cuMemcpyHtoDAsync", "copying to the device");

    public void CopyToHost(nint target, ulong source, long bytes) =>
        Try(DriverApi.CopyToHost((void*)target, source, (nuint)bytes, stream), "cuMemcpyDtoHAsync", "copying to the host");

    public void CopyOnDevice(ulong target, ulong source, long bytes) =>
        Try(DriverApi.CopyOnDevice(target, source, (nuint)bytes, stream), "cuMemcpyDtoDAsync", "copying on the device");

    public void Fill(ulong target, byte value, long bytes) =>
        Try(DriverApi.MemorySet(target, value, (nuint)bytes, stream), "cuMemsetD8Async", "filling memory");

    public void Synchronize() => Try(DriverApi.StreamSynchronize(stream), "cuStreamSynchronize", "waiting for the device");

    public nint CreateEvent()
    {
        Try(DriverApi.EventCreate(out var mark, 0), "cuEventCreate", "making an event");
        return mark;
    }

    public void RecordEvent(nint mark) => Try(DriverApi.EventRecord(mark, stream), "cuEventRecord", "recording an event");

    public void WaitFor(nint mark) => Try(DriverApi.EventSynchronize(mark), "cuEventSynchronize", "waiting for an event");

    public double Milliseconds(nint from, nint to)
    {
        Try(DriverApi.EventElapsed(out var milliseconds, from, to), "cuEventElapsedTime", "reading the time between events");
        return milliseconds;
    }

    public void DestroyEvent(nint mark) => Try(DriverApi.EventDestroy(mark), "cuEventDestroy", "giving an event back");

    public void BeginCapture() => Try(DriverApi.CaptureBegin(stream, RelaxedCapture), "cuStreamBeginCapture", "beginning a capture");

    public nint EndCapture()
    {
        Try(DriverApi.CaptureEnd(stream, out var graph), "cuStreamEndCapture", "ending a capture");
        try
        {
            Try(DriverApi.GraphInstantiate(out var executable, graph, 0), "cuGraphInstantiateWithFlags", "making a graph");
            return executable;
        }
        finally
        {
            DriverApi.GraphDestroy(graph);
        }
    }

    public void LaunchGraph(nint graph) => Try(DriverApi.GraphLaunch(graph, stream), "cuGraphLaunch", "launching a graph");

    public void DestroyGraph(nint graph) => Try(DriverApi.GraphExecutableDestroy(graph), "cuGraphExecDestroy", "giving a graph back");

    public void Dispose()
    {
        DriverApi.StreamDestroy(stream);
        DriverApi.PrimaryContextRelease(device);
    }

    private int Attribute(int attribute)
    {
        Try(DriverApi.DeviceGetAttribute(out var value, attribute, device), "cuDeviceGetAttribute", "asking what the device can do");
        return value;
    }

    private static void Try(int status, string call, string doing)
    {
        if (status != 0) throw Failure(status, call, doing);
    }

    private static CudaException Failure(int status, string call, string doing)
    {
        DriverApi.ErrorName(status, out var name);
        DriverApi.ErrorText(status, out var text);
        return new CudaException($"{call} failed with {Marshal.PtrToStringUTF8(name) ?? status.ToString()} "
            + $"({Marshal.PtrToStringUTF8(text) ?? "no text"}) while {doing}.");
    }
}
