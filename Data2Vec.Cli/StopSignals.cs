using System.Runtime.InteropServices;

namespace Data2Vec.Cli;

/// <summary>Ctrl-C and SIGTERM ask the run to save and stop; a second one leaves at once.</summary>
internal sealed class StopSignals : IDisposable
{
    private readonly CancellationTokenSource source = new();
    private readonly PosixSignalRegistration interrupt, terminate;

    public StopSignals()
    {
        interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, c => Stop(c, 130));
        terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, c => Stop(c, 143));
    }

    /// <summary>Cancelled once a signal came.</summary>
    public CancellationToken Token => source.Token;

    /// <summary>128 plus the number of the signal that came.</summary>
    public int ExitCode { get; private set; }

    public void Dispose()
    {
        interrupt.Dispose();
        terminate.Dispose();
        source.Dispose();
    }

    private void Stop(PosixSignalContext context, int code)
    {
        if (ExitCode != 0) return;
        context.Cancel = true;
        ExitCode = code;
        source.Cancel();
    }
}
