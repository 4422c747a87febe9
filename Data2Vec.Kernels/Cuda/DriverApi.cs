using System.Runtime.InteropServices;

namespace Data2Vec.Kernels.Cuda;

/// <summary>
/// Entry points of NVIDIA's driver library as the CUDA Driver API reference manual, 12.4, names them; all give a status, 0
/// when all is well. The library is looked for at run time, and it is no error of the program when a machine has none.
/// </summary>
internal static unsafe partial class DriverApi
{
    private const string Library = "data2vec-cuda-driver";

    private static readonly string[] Names =
        OperatingSystem.IsWindows() ? ["nvcuda.dll"] : ["libcuda.so.1", "/usr/local/nvidia/lib64/libcuda.so.1"];

    private static nint handle;

    /// <summary>Finds the library: by the path in DATA2VEC_CUDA_DRIVER, by its own name, or where containers mount it.</summary>
    /// <param name="reason">Every name tried with the loader's own words, when false is returned.</param>
    public static bool TryLoad(out string reason)
    {
        var tried = new List<string>();
        var own = Environment.GetEnvironmentVariable("DATA2VEC_CUDA_DRIVER");
        foreach (var name in own is null ? Names : [own, .. Names])
        {
            if (handle != 0) break;
            try
            {
                handle = NativeLibrary.Load(name);
                NativeLibrary.SetDllImportResolver(
                    typeof(DriverApi).Assembly, (asked, _, _) => asked == Library ? handle : 0);
            }
            catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
            {
                tried.Add($"{name}: {e.Message.ReplaceLineEndings(" ").Trim()}");
            }
        }
        reason = string.Join("; ", tried);
        return handle != 0;
    }

    [LibraryImport(Library, EntryPoint = "cuInit")]
    public static partial int Initialize(uint flags);

    [LibraryImport(Library, EntryPoint = "cuDeviceGetCount")]
    public static partial int DeviceCount(out int count);

    [LibraryImport(Library, EntryPoint = "cuDeviceGet")]
    public static partial int DeviceGet(out int device, int number);

    [LibraryImport(Library, EntryPoint = "cuDeviceGetName")]
    public static partial int DeviceGetName(byte* name, int length, int device);

    [LibraryImport(Library, EntryPoint = "cuDeviceTotalMem_v2")]
    public static partial int DeviceTotalMemory(out nuint bytes, int device);

    [LibraryImport(Library, EntryPoint = "cuDeviceGetAttribute")]
    public static partial int DeviceGetAttribute(out int value, int attribute, int device);

    [LibraryImport(Library, EntryPoint = "cuDevicePrimaryCtxRetain")]
    public static partial int PrimaryContextRetain(out nint context, int device);

    [LibraryImport(Library, EntryPoint = "cuDevicePrimaryCtxRelease_v2")]
    public static partial int PrimaryContextRelease(int device);

    [LibraryImport(Library, EntryPoint = "cuCtxSetCurrent")]
    public static partial int ContextSetCurrent(nint context);

    [LibraryImport(Library, EntryPoint = "cuModuleLoadDataEx")]
    public static partial int ModuleLoad(out nint module, byte* image, uint count, int* options, nint* values);

    [LibraryImport(Library, EntryPoint = "cuModuleGetFunction")]
    public static partial int ModuleGetFunction(out nint function, nint module, byte* name);

    [LibraryImport(Library, EntryPoint = "cuFuncSetAttribute")]
    public static partial int FunctionSetAttribute(nint function, int attribute, int value);

    [LibraryImport(Library, EntryPoint = "cuLaunchKernel")]
    public static partial int LaunchKernel(
        nint function, uint gridX, uint gridY, uint gridZ, uint blockX, uint blockY,
        uint blockZ, uint sharedBytes, nint stream, void** parameters, void** extra);

    [LibraryImport(Library, EntryPoint = "cuMemAlloc_v2")]
    public static partial int MemoryAllocate(out ulong pointer, nuint bytes);

    [LibraryImport(Library, EntryPoint = "cuMemFree_v2")]
    public static partial int MemoryFree(ulong pointer);

    [LibraryImport(Library, EntryPoint = "cuMemHostAlloc")]
    public static partial int HostAllocate(out nint pointer, nuint bytes, uint flags);

    [LibraryImport(Library, EntryPoint = "cuMemFreeHost")]
    public static partial int HostFree(nint pointer);

    [LibraryImport(Library, EntryPoint = "cuMemcpyHtoDAsync_v2")]
    public static partial int CopyToDevice(ulong target, void* source, nuint bytes, nint stream);

    [LibraryImport(Library, EntryPoint = "cuMemcpyDtoHAsync_v2")]
    public static partial int CopyToHost(void* target, ulong source, nuint bytes, nint stream);

    [LibraryImport(Library, EntryPoint = "cuMemcpyDtoDAsync_v2")]
    public static partial int CopyOnDevice(ulong target, ulong source, nuint bytes, nint stream);

    [LibraryImport(Library, EntryPoint = "cuMemsetD8Async")]
    public static partial int MemorySet(ulong target, byte value, nuint bytes, nint stream);

    [LibraryImport(Library, EntryPoint = "cuStreamCreate")]
    public static partial int StreamCreate(out nint stream, uint flags);

    [LibraryImport(Library, EntryPoint = "cuStreamDestroy_v2")]
    public static partial int StreamDestroy(nint stream);

    [LibraryImport(Library, EntryPoint = "cuStreamSynchronize")]
    public static partial int StreamSynchronize(nint stream);

    [LibraryImport(Library, EntryPoint = "cuEventCreate")]
    public static partial int EventCreate(out nint mark, uint flags);

    [LibraryImport(Library, EntryPoint = "cuEventRecord")]
    public static partial int EventRecord(nint mark, nint stream);

    [LibraryImport(Library, EntryPoint = "cuEventSynchronize")]
    public static partial int EventSynchronize(nint mark);

    [LibraryImport(Library, EntryPoint = "cuEventElapsedTime")]
    public static partial int EventElapsed(out float milliseconds, nint from, nint to);

    [LibraryImport(Library, EntryPoint = "cuEventDestroy_v2")]
    public static partial int EventDestroy(nint mark);

    [LibraryImport(Library, EntryPoint = "cuStreamBeginCapture_v2")]
    public static partial int CaptureBegin(nint stream, uint mode);

    [LibraryImport(Library, EntryPoint = "cuStreamEndCapture")]
    public static partial int CaptureEnd(nint stream, out nint graph);

    [LibraryImport(Library, EntryPoint = "cuGraphInstantiateWithFlags")]
    public static partial int GraphInstantiate(out nint executable, nint graph, ulong flags);

    [LibraryImport(Library, EntryPoint = "cuGraphLaunch")]
    public static partial int GraphLaunch(nint executable, nint stream);

    [LibraryImport(Library, EntryPoint = "cuGraphDestroy")]
    public static partial int GraphDestroy(nint graph);

    [LibraryImport(Library, EntryPoint = "cuGraphExecDestroy")]
    public static partial int GraphExecutableDestroy(nint executable);

    [LibraryImport(Library, EntryPoint = "cuGetErrorName")]
    public static partial int ErrorName(int status, out nint name);

    [LibraryImport(Library, EntryPoint = "cuGetErrorString")]
    public static partial int ErrorText(int status, out nint text);
}
