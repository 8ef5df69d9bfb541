@echo off
rem Shows the edition in this folder in a browser. Needs nothing that is not part of Windows 7 to 11.
setlocal
set "CSC="
for %%F in (Framework Framework64) do for %%V in (v3.5 v4.0.30319) do (
  if exist "%WINDIR%\Microsoft.NET\%%F\%%V\csc.exe" set "CSC=%WINDIR%\Microsoft.NET\%%F\%%V\csc.exe"
)
if not defined CSC (
  echo .NET Framework 3.5 or 4 is missing. With Python: python "%~dp0serve.py"
  pause
  exit /b 1
)
rem While it runs its file cannot be written: then it is open already.
"%CSC%" /nologo /optimize /out:"%TEMP%\cdss-serve.exe" "%~dp0serve.cs" > "%TEMP%\cdss-serve.log"
if errorlevel 1 if exist "%TEMP%\cdss-serve.exe" (
  start "" http://localhost:8080/
  exit /b 0
)
"%TEMP%\cdss-serve.exe" "%~dp0."
if errorlevel 1 pause
