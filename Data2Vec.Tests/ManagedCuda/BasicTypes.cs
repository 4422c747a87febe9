namespace ManagedCuda.BasicTypes;

// What ManagedCudaDriver uses of the package's types, with their names, fields, conversions and values.

internal enum CUResult
{
    Success = 0, ErrorInvalidValue = 1, ErrorOutOfMemory = 2, ErrorInvalidDevice = 101, ErrorInvalidPtx = 218,
    ErrorNotFound = 500, ErrorLaunchFailed = 719,
}

[Flags]
internal enum CUStreamFlags : uint { None = 0, Default = 0, NonBlocking = 1 }

internal enum CUDeviceAttribute
{
    MultiProcessorCount = 16, ComputeCapabilityMajor = 75, ComputeCapabilityMinor = 76,
    L2CacheSize = 38,
    MaxSharedMemoryPerBlockOptin = 97,
}

internal enum CUJITOption
{
    InfoLogBuffer = 3, InfoLogBufferSizeBytes = 4, ErrorLogBuffer = 5, ErrorLogBufferSizeBytes = 6,
}

internal enum CUFunctionAttribute { MaxDynamicSharedSizeBytes = 8 }

[Flags]
internal enum CUMemHostAllocFlags { None = 0 }

[Flags]
internal enum CUEventFlags { Default = 0 }

internal enum CUstreamCaptureMode { Global = 0, Local = 1, Relaxed = 2 }

[Flags]
internal enum CUgraphInstantiate_flags : ulong { None = 0 }

internal struct CUdevice
{
    public int Pointer;
}

internal struct CUmodule
{
    public IntPtr Pointer;
}

internal struct CUfunction
{
    public IntPtr Pointer;
}

internal struct CUstream
{
    public IntPtr Pointer;
}

internal struct CUevent
{
    public IntPtr Pointer;
}

internal struct CUgraph
{
    public IntPtr Pointer;
}

internal struct CUgraphExec
{
    public IntPtr Pointer;
}

internal struct CUdeviceptr(SizeT pointer)
{
    public SizeT Pointer = pointer;

    public static implicit operator ulong(CUdeviceptr from) => from.Pointer;
}

/// <summary>All conversions of the package's: what is ambiguous there must be so here.</summary>
internal struct SizeT
{
    private readonly UIntPtr value;

    public SizeT(int value) => this.value = (UIntPtr)value;

    public SizeT(uint value) => this.value = value;

    public SizeT(long value) => this.value = (UIntPtr)value;

    public SizeT(ulong value) => this.value = (UIntPtr)value;

    public SizeT(UIntPtr value) => this.value = value;

    public SizeT(IntPtr value) => this.value = (UIntPtr)value;

    public static implicit operator int(SizeT from) => (int)from.value;

    public static implicit operator uint(SizeT from) => (uint)from.value;

    public static implicit operator long(SizeT from) => (long)from.value;

    public static implicit operator ulong(SizeT from) => from.value;

    public static implicit operator UIntPtr(SizeT from) => from.value;

    public static implicit operator IntPtr(SizeT from) => (IntPtr)from.value;

    public static implicit operator SizeT(int from) => new(from);

    public static implicit operator SizeT(uint from) => new(from);

    public static implicit operator SizeT(long from) => new(from);

    public static implicit operator SizeT(ulong from) => new(from);

    public static implicit operator SizeT(IntPtr from) => new(from);

    public static implicit operator SizeT(UIntPtr from) => new(from);
}
